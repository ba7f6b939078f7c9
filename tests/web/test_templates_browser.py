"""Templates in a browser: from the library to a draft by keys alone, hostile texts, no scripts, every width."""

import json
import re

import pytest
from playwright.sync_api import expect

from store.datastore import Datastore
from store.log import Log
from tests.waiting import until
from tests.web.accessibility import check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched
from tests.web.corpus import LINE, NASTY, harmless
from tests.web.stored_templates import EVERY_TYPE, keep_template
from tests.web.tabbing import Keys

expect.set_options(timeout=LIMIT_MS)

HOSTILE = EVERY_TYPE.replace("name: Every type", f"name: {json.dumps(LINE, ensure_ascii=False)}").replace(
    "title: Topic", f"title: Topic, description: {json.dumps(NASTY[:300], ensure_ascii=False)}"
)


def keep(served: Served, name: str, source: str, title: str) -> str:
    """Record a template; return its id once the pages show it."""
    datastore = Datastore(served.dsn)
    id = keep_template(Log(datastore), name, source.replace("id: every-type", f"id: {name}"), title=title)
    datastore.close()
    until(lambda: served.client.get(f"/api/templates/{id}").status_code == 200)
    return id


@pytest.fixture(scope="module", autouse=True)
def _agents(served: Served) -> None:
    for name in ("writer", "typist"):
        assert served.client.put(f"/api/agents/{name}", json={"kind": "scripted", "script": "echo"}).status_code == 200


@pytest.mark.timeout(600)
def test_a_template_is_found_used_shared_and_withdrawn_by_keys(served: Served, windows: Watched) -> None:
    id = keep(served, "letters", EVERY_TYPE, "Letters")
    page = windows.open("/templates")
    person = Keys(page, served.url)
    person.open("/templates?source=org")
    person.write("main input[name=q]", "letters")
    page.keyboard.press("Enter")
    expect(page.locator("article")).to_have_count(1)
    person.press("Use template")
    expect(page.get_by_role("heading", level=1)).to_have_text("Use Every type")
    tried, people = page.locator("#tried"), page.get_by_label("Who signs")
    expect(tried).to_contain_text("Who writes: the parameter")
    expect(people).to_be_hidden()
    person.write("#parameters-writer", "typist")
    expect(tried).to_contain_text("What you will get")
    expect(tried.get_by_role("group", name=re.compile("Diagram of the draft"))).to_contain_text("typist")
    person.reach(page.get_by_label("Signed by a person"))
    page.keyboard.type("yes")
    expect(people).to_be_visible()
    expect(tried).to_contain_text("1 by people")
    check_everywhere(page, "the form of a template")
    person.press("Preview")
    expect(page).to_have_url(re.compile("/preview$"))
    person.press("Make the draft")
    person.told("The draft is made")
    expect(page).to_have_url(re.compile("/processes/letters/edit"))
    person.open(f"/templates/{id}/use")
    person.reach(page.locator("#name"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("letters")
    person.write("#parameters-writer", "typist")
    person.press("Make the draft")
    person.press("Make it as letters-2")
    expect(page).to_have_url(re.compile("/processes/letters-2/edit"))
    keep(served, "letters", EVERY_TYPE.replace("title: Out?", "title: Send it?"), "Letters")
    until(lambda: served.client.get("/api/processes/letters-2/template-update").json()["newer"])
    person.open("/processes/letters-2/template-update")
    check_everywhere(page, "what a newer template changes")
    person.press("Take the newer version")
    person.told("The draft has the newer version")
    expect(page.get_by_label("Definition of the process").first).to_contain_text("Send it?")
    written = served.client.get("/api/processes/letters").json()["yaml"].replace("Out?", "Gone?")
    sent = {"content": written, "headers": {"Content-Type": "application/yaml"}}
    assert served.client.put("/api/processes/letters", **sent).status_code == 200  # type: ignore[arg-type]
    until(lambda: served.client.get("/api/processes/letters/template-update").json()["conflicts"])
    person.open("/processes/letters/template-update")
    check_everywhere(page, "what a template and a person changed")
    person.press("Mark as taken")
    person.told("The draft has the newer version")
    expect(page.get_by_text("Nothing newer")).to_be_visible()
    person.open(f"/templates/{id}")
    expect(page.get_by_role("link", name="letters-2", exact=True)).to_be_visible()
    check_everywhere(page, "a template")
    person.reach(page.locator("#with"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("private")
    person.press("Share")
    person.told("is shared anew")
    person.write("#withdraw-reason", "a better one is there")
    person.press("Withdraw the template")
    person.told("is withdrawn")
    expect(page.get_by_role("link", name="Use template")).to_have_count(0)
    windows.wrong = [text for text in windows.wrong if "409" not in text]


def test_a_process_is_saved_as_a_template_by_keys(served: Served, windows: Watched) -> None:
    step = "{id: write, agent: writer, message: go, parameters: {api_key: 4eC39HqLyjWDarjtT1zdp7dc}}"
    served.publish(f"name: own\nsteps:\n  # The only one.\n  - {step}\n")
    page = windows.open("/processes/own")
    person = Keys(page, served.url)
    person.open("/processes/own")
    person.press("Save as template")
    expect(page.get_by_role("heading", name="Secrets found")).to_be_visible()
    check_everywhere(page, "the form that saves a template")
    person.write("#description", "Ours.")
    person.press("Preview")
    expect(page.get_by_label("Document of the template")).to_contain_text('agent: "${{ parameters.writer }}"')
    person.press("Save the template")
    person.told("The template is saved")
    expect(page).to_have_url(re.compile("/templates/org:own"))
    expect(page.locator("main")).not_to_contain_text("4eC39HqLyjWDarjtT1zdp7dc")


def test_texts_of_others_stay_texts_in_the_library_and_the_form(served: Served, windows: Watched) -> None:
    id = keep(served, "hostile", HOSTILE, NASTY[:100])
    page = windows.open("/templates?source=org")
    expect(page.locator("article")).not_to_have_count(0)
    harmless(page, "the library")
    check_everywhere(page, "the library")
    page.goto(f"{served.url}/templates/{id}")
    harmless(page, "a template")
    page.goto(f"{served.url}/templates/{id}/use")
    page.get_by_label("Topic").fill(NASTY)
    expect(page.locator("#tried")).to_contain_text("Topic: ")
    harmless(page, "what is tried")
    check_everywhere(page, "the form")


def test_a_draft_is_made_without_javascript(served: Served, windows: Watched) -> None:
    id = keep(served, "plain", EVERY_TYPE, "Plain")
    page = windows.plain(f"/templates/{id}/use")
    expect(page.get_by_label("Who signs")).to_be_hidden()
    page.get_by_label("Signed by a person").select_option("yes")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_label("Who signs")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("1 problem")
    page.get_by_label("Who writes").fill("writer")
    page.get_by_label("Who signs").fill("ann\nbob")
    page.get_by_role("button", name="Make the draft").click()
    expect(page).to_have_url(re.compile("/processes/plain/edit"))
    expect(page.get_by_role("textbox", name="Definition of the process")).to_have_value(re.compile("bob"))
