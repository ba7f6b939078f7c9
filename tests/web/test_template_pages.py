"""Pages of templates without a browser: cards, forms from parameters, drafts, and what a reader may not do."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from commands.template_uses import TemplateUses
from gateway.catalogue import Catalogue
from tests.api.conftest import Installation, Making, Shown, key, root
from tests.web.corpus import LINE, NASTY
from tests.web.stored_templates import EVERY_TYPE, keep_template
from web.app import PagesBeside, create_pages

__all__ = ["key", "root"]

USE = "/templates/org:every-type/use"
ANSWERS = {
    "name": "letters",
    "parameters.writer": "writer",
    "parameters.topic": "rain",
    "parameters.words": "40",
    "parameters.style": '"formal"',
    "parameters.signed": "true",
    "parameters.people": "ann\nbob.b",
    "parameters.times": "0 9 * * 1",
    "parameters.zone": "Asia/Tokyo",
    "parameters.wait": "2h",
    "parameters.limit": "7.50",
    "parameters.limit.currency": "usd",
    "parameters.extra": '{"tone": "warm"}',
}

# The same, with an agent that is no parameter.
NAMED = (
    EVERY_TYPE.replace("agent: ${{ parameters.writer }}", "agent: typist")
    .replace("    writer: {type: agent, title: Who writes}\n", "")
    .replace("id: every-type", "id: named")
    .replace("writer: writer, ", "")
)


@pytest.fixture
def kept(installation: Installation, client: TestClient) -> TestClient:
    keep_template(installation.log, "every-type", EVERY_TYPE, title="Every type", tags=("post", "report"))
    installation.project()
    return client


def filled(client: TestClient, **more: str) -> dict[str, str]:
    """Return the fields of the form, with a token of its own."""
    return {**ANSWERS, "token": token_of(client, USE), "version": "1", **more}


def token_of(client: TestClient, path: str) -> str:
    form = client.get(path)
    assert form.status_code == 200, form.text
    found = re.search(r'name="token" value="([0-9a-f-]{36})"', form.text)
    assert found is not None
    return found[1]


def test_the_library_shows_each_template_and_why_one_cannot_be_used(
    installation: Installation, kept: TestClient, tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_text("template: [")
    newer = EVERY_TYPE.replace("id: every-type", 'id: newer\n  engine: ">=99"')
    (tmp_path / "newer.yaml").write_text(newer.replace("name: Every type", f"name: {json.dumps(LINE)}"))
    installation.catalogue = Catalogue(tmp_path)
    installation.template_uses = TemplateUses(installation.log, installation.processes, installation.catalogue)
    keep_template(installation.log, "named", NAMED, title="Named")
    installation.project()
    page = unescape(kept.get("/templates").text)
    assert page.count("<article") == len(re.findall('id="card-(?:org|bundled)-', page)) >= 4
    assert page.count('<svg aria-hidden="true" width') == page.count("<article") - 1
    for words in ("Cannot be read", "Needs another release", "needs Procession >=99", "Not here: agent typist"):
        assert words in page
    assert LINE not in kept.get("/templates").text
    found = kept.get("/templates?q=every&tag=report&source=org").text
    assert re.findall('id="card-([^"]+)"', found) == ["org-every-type"]
    assert "No template matches" in kept.get("/templates?q=nothing-of-the-kind").text
    broken = kept.get("/templates/bundled:broken")
    assert broken.status_code == 200
    assert "Why it cannot be used" in broken.text
    refused = kept.get("/templates/bundled:newer/use")
    assert (refused.status_code, "incompatible" in refused.text) == (409, True)
    assert kept.get("/templates/org:nothing").status_code == 404
    assert kept.get(USE + "?version=9").status_code == 404


def test_the_form_has_a_control_for_each_type_with_its_default(kept: TestClient) -> None:
    page = unescape(kept.get(USE).text)
    for field in ANSWERS:
        assert f'name="{field}"' in page, field
    for default in (
        'value="every-type"',
        'value="Europe/Berlin"',
        'value="0 7 * * 1-5"',
        'value="5.00"',
        'value="EUR"',
    ):
        assert default in page
    assert re.search('data-field="parameters.people" hidden', page)
    assert 'data-names="parameters.people"' in page
    assert "With sample answers" in page
    assert "1 answer is missing or wrong" in page
    assert re.search(
        "When it would come.*Times</b>: On Monday to Friday at 07:00, Europe/Berlin; next", page, re.DOTALL
    )
    wrong = filled(kept, **{"parameters.times": "soon"})
    assert "When it would come" not in kept.post("/templates/org:every-type/preview", data=wrong).text


def test_answers_make_one_draft_with_the_lineage_and_nothing_is_published(
    installation: Installation, kept: TestClient
) -> None:
    fields = filled(kept)
    shown = unescape(kept.post("/templates/org:every-type/preview", data=fields).text)
    before = installation.log.last_position()
    for words in (
        "What you will get",
        "by agents",
        "1 timer",
        "off until the process is published",
        "ann, bob.b",
    ):
        assert words in shown
    assert not re.search('data-field="parameters.people" hidden', shown)
    assert installation.log.last_position() == before
    first, again = (kept.post(USE, data=fields) for _ in range(2))
    assert first.status_code == again.status_code == 303, first.text
    assert first.headers["location"] == again.headers["location"]
    assert first.headers["location"].startswith("/processes/letters/edit?done=template-used")
    installation.project()
    assert "The draft is made." in kept.get(first.headers["location"]).text
    made = kept.get("/api/processes/letters").json()
    assert (made["status"], made["version"]) == ("draft", None)
    definition = made["draft"]["definition"]
    assert definition["steps"][0]["message"] == "Write 40 formal words about rain"
    assert definition["steps"][0]["parameters"] == {"more": {"tone": "warm"}, "signed": True}
    assert definition["steps"][2]["approvers"] == ["ann", "bob.b"]
    assert kept.get("/api/schedules").json()["items"] == []
    page = kept.get("/templates/org:every-type").text
    assert 'href="/processes/letters"' in page
    taken = kept.post(USE, data=filled(kept))
    assert taken.status_code == 409
    assert 'name="name" value="letters-2"' in taken.text
    assert kept.post(USE, data=filled(kept, name="letters-2")).status_code == 303


def test_every_problem_stands_at_its_field_and_nothing_typed_is_lost(kept: TestClient) -> None:
    wrong = {
        "name": "Not A Name",
        "parameters.topic": NASTY,
        "parameters.words": "many",
        "parameters.times": "soon",
        "parameters.zone": "Mars/Olympus",
        "parameters.wait": "a while",
        "parameters.limit": "much",
        "parameters.extra": "{",
    }
    answer = kept.post(USE, data=filled(kept, **wrong))
    assert answer.status_code == 422
    page = unescape(answer.text)
    assert len(re.findall('aria-invalid="true"', page)) == len(wrong)
    for text in wrong.values():
        assert text in page
    assert "<img src=x" not in answer.text
    assert kept.get("/api/processes").json()["items"] == []
    assert kept.post(USE, data=filled(kept, token="")).status_code == 422
    assert kept.post(USE, json=ANSWERS).status_code == 415


@pytest.mark.parametrize("text", [NASTY, "x" * 4_000, '"\n- id: evil\n  type: timer', "${{ parameters.x }}", "\0"])
def test_no_answer_makes_another_step(installation: Installation, kept: TestClient, text: str) -> None:
    free = EVERY_TYPE.replace(', pattern: "^[a-z ]+$"', "")
    keep_template(installation.log, "every-type", free, title="Every type")
    installation.project()
    answer = kept.post(USE, data=filled(kept, version="2", **{"parameters.topic": text}))
    assert answer.status_code in (303, 422), answer.text
    if answer.status_code == 303:
        installation.project()
        steps = kept.get("/api/processes/letters").json()["draft"]["definition"]["steps"]
        assert [step["id"] for step in steps] == ["write", "pause", "sign"]


def test_a_missing_agent_can_be_replaced_by_one_that_is_here(installation: Installation, kept: TestClient) -> None:
    keep_template(installation.log, "named", NAMED)
    assert kept.put("/api/agents/clerk", json={"kind": "scripted", "script": "echo"}).status_code == 200
    installation.project()
    page = kept.get("/templates/org:named/use").text
    assert "In place of typist" in page
    assert '<option value="clerk">' in page
    fields = {
        **ANSWERS,
        "token": token_of(kept, "/templates/org:named/use"),
        "version": "1",
        "replace_agents.typist": "clerk",
    }
    del fields["parameters.writer"]
    assert kept.post("/templates/org:named/use", data=fields).status_code == 303
    installation.project()
    assert kept.get("/api/processes/letters").json()["draft"]["definition"]["steps"][0]["agent"] == "clerk"


def test_a_reader_sees_templates_and_makes_nothing(installation: Installation, root: Shown, key: Making) -> None:
    keep_template(installation.log, "every-type", EVERY_TYPE, title="Every type")
    installation.project()
    reader = key("viewer", name="reader")
    pages = create_pages(installation.door(hosts=installation.hosts), installation.app.openapi)
    browser = TestClient(PagesBeside(installation.app, pages), follow_redirects=False)
    for path in ("/templates", "/templates/org:every-type"):
        page = browser.get(path, headers=reader)
        assert page.status_code == 200
        assert "Use template" not in page.text
        assert "/share" not in page.text
    assert browser.get(USE, headers=reader).status_code == 403
    for act in ("use", "preview", "share", "withdraw"):
        sent: Any = browser.post(f"/templates/org:every-type/{act}", data=ANSWERS, headers=reader)
        assert sent.status_code == 403, act


LETTERS = """name: letters
description: Letters to customers.
steps:
  # The first draft.
  - {id: write, agent: writer, message: "Key sk_live_4eC39HqLyjWDarjtT1zdp7dc", parameters: {tone: warm}}
  - {id: out, type: human_approval, title: Out?, approvers: [ann], depends_on: write}
triggers:
  - {type: schedule, id: nightly, cron: "0 3 * * *", timezone: Europe/Berlin}
"""


def test_a_process_is_saved_as_a_template_without_its_secrets(installation: Installation, client: TestClient) -> None:
    drafted = client.post("/api/processes", content=LETTERS, headers={"Content-Type": "application/yaml"})
    assert drafted.status_code == 201
    installation.project()
    path = "/processes/letters/template"
    form = unescape(client.get(path).text)
    secret = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
    assert "Secrets found" in form
    assert secret not in form
    ticked = dict.fromkeys(re.findall('name="(take[.][^"]+)"', form), "on")
    names = dict(re.findall('name="(name[.][^"]+)" value="([^"]+)"', form))
    assert {"take.writer", "take.approvers_of_out", "take.timezone"} <= set(ticked)
    token = token_of(client, path)
    fields = {"title": "Letters", "name": "post", "tags": "post, mail", "shared-with": "organisation", "token": token}
    fields |= {"more-path": "steps[0].parameters.tone", "more-name": "tone", "more-type": "string", **ticked, **names}
    preview = unescape(client.post(path, data=fields | {"act": "preview"}).text)
    for words in ("What will be saved", "${{ parameters.writer }}", "${{ parameters.tone }}", "# The first draft."):
        assert words in preview
    assert secret not in preview
    saved = client.post(path, data=fields | {"act": "save"})
    assert saved.status_code == 303, saved.text
    assert saved.headers["location"].startswith("/templates/org:post?")
    installation.project()
    page = client.get("/templates/org:post")
    assert secret not in page.text
    assert client.get("/api/templates/org:post").json()["shared_with"] == "organisation"
    wrong = fields | {"act": "save", "title": "", "name": "Not A Name", "more-name": ""}
    refused = client.post(path, data=wrong)
    assert refused.status_code == 422
    assert "3 problems" in refused.text


def test_a_process_shows_its_template_and_what_is_newer(installation: Installation, kept: TestClient) -> None:
    assert kept.post(USE, data=filled(kept)).status_code == 303
    installation.project()
    page = kept.get("/processes/letters").text
    assert "Made from" in page
    assert "org:every-type" in page
    assert "Show what is newer" not in page
    newer = EVERY_TYPE.replace("title: Out?", "title: Send it?")
    keep_template(installation.log, "every-type", newer, title="Every type", tags=("post", "report"))
    installation.project()
    assert "Version 2 is there." in kept.get("/processes/letters").text
    shown = kept.get("/processes/letters/template-update").text
    assert re.search("<del>- .*title: Out", shown)
    assert re.search("<ins>.*title: Send it", shown)
    assert "Both together" in shown
    merged = re.search('name="source" value="([^"]*)"', shown)
    assert merged is not None
    revision = {"revision": "1", "source": unescape(merged[1]), "act": "check"}
    assert "Send it?" in unescape(kept.post("/processes/letters/edit", data=revision).text)
    assert "version 2 is newer" in kept.get("/templates/org:every-type").text


def test_a_withdrawn_template_is_listed_on_demand(installation: Installation, kept: TestClient) -> None:
    assert kept.post("/api/templates/org:every-type/withdraw", json={"reason": "old"}).status_code == 200
    installation.project()
    hidden = kept.get("/templates").text
    assert 'id="card-org-every-type"' not in hidden
    assert 'href="/templates?withdrawn=true"' in hidden
    shown = kept.get("/templates?withdrawn=true").text
    assert 'id="card-org-every-type"' in shown
    assert "Withdrawn</" in shown
