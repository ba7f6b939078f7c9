"""Pages of processes in a real browser, with the real server and a real worker."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.accessibility import check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">{{ 1 }} \u202eevil"
TYPED = """
name: typed
description: "<script>document.title='owned'</script> What it does."
input:
  text: {type: string, required: true, description: "<img src=x onerror=alert(1)> what it says"}
  size: {type: integer, default: 3}
  sure: {type: boolean}
  speed: {enum: [slow, fast], default: slow}
  tags: {type: array, default: [a]}
triggers:
  - {type: webhook, id: typed-hook}
steps:
  - {id: write, name: Write the notes, agent: writer, message: "{{ input.text }}"}
  - {id: look, name: "Look <b>twice</b>", agent: writer, message: look, depends_on: write}
"""
CALLING = """
name: calls-typed
steps:
  - {id: call, name: Ask for it, type: sub_process, process: typed, input_mapping: {text: hello}}
"""


@pytest.fixture(scope="module", autouse=True)
def _published(served: Served) -> None:
    served.publish(TYPED, writer={"script": "echo"})
    served.publish(CALLING)
    second = TYPED.replace("What it does", "What it does now").replace("message: look", "message: look well")
    revised = served.client.put(
        "/api/processes/typed",
        content=second + "  - {id: more, name: One more, agent: writer, message: more, depends_on: look}\n",
        headers={"Content-Type": "application/yaml"},
    )
    assert revised.status_code == 200, revised.text
    assert served.client.post("/api/processes/typed/publish", json={}).status_code == 200


def test_a_person_starts_a_process_after_mending_the_form(served: Served, windows: Watched) -> None:
    page = windows.open("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Processes").click()
    page.get_by_role("link", name="typed", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("typed")
    page.get_by_role("link", name="Start", exact=True).click()
    expect(page.get_by_label("size")).to_have_value("3")
    page.get_by_label("size").fill("many")
    page.get_by_label("speed").select_option("fast")
    page.get_by_label("tags").fill('["kept"]')
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("alert")).to_contain_text("2 problems")
    expect(page.get_by_label("size")).to_have_value("many")
    expect(page.get_by_label("size")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("tags")).to_have_value('["kept"]')
    page.get_by_label("text").fill(HOSTILE)
    page.get_by_label("size").fill("5")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("status")).to_contain_text("has begun")
    expect(page.locator(".head")).to_contain_text("Completed")
    expect(page.get_by_label("Input of the execution")).to_contain_text('"speed": "fast"')
    windows.wrong = [text for text in windows.wrong if "422" not in text]  # the refused form


def test_a_form_that_is_sent_twice_starts_once(served: Served, windows: Watched) -> None:
    page = windows.open("/processes/typed/start")
    page.get_by_label("text").fill("only once, please")
    twice = """() => {
      const form = document.querySelector("main form");
      const body = new URLSearchParams(new FormData(form));
      const send = () => fetch(form.action, { method: "POST", body }).then((answer) => answer.url.split("?")[0]);
      return Promise.all([send(), send()]);
    }"""
    first, second = page.evaluate(twice)
    assert "/executions/" in first
    assert first == second


def test_an_open_list_follows_what_happens(served: Served, windows: Watched) -> None:
    page = windows.open("/processes?name=calls-typed")
    row = page.get_by_role("row", name=re.compile("calls-typed"))
    expect(row).to_contain_text("—")
    served.begin("calls-typed")
    expect(row.locator("time")).to_be_visible()


def test_the_difference_of_two_versions_is_shown(served: Served, windows: Watched) -> None:
    page = windows.open("/processes/typed")
    page.get_by_role("link", name="What changed in version 2").click()
    expect(page.get_by_text("1 steps are new, 1 changed, 0 are gone")).to_be_visible()
    expect(page.locator("ins", has_text="look well")).to_be_visible()
    expect(page.locator("svg[role=group]")).to_have_count(2)


def test_a_process_goes_into_the_archive_and_comes_back(served: Served, windows: Watched) -> None:
    served.publish(TYPED.replace("name: typed", "name: old-one").replace("typed-hook", "old-hook"))
    page = windows.open("/processes/old-one")
    page.get_by_role("link", name="Archive", exact=True).click()
    expect(page.get_by_text("1 webhook address refuses")).to_be_visible()
    page.get_by_label("Reason").fill("no longer needed")
    page.get_by_role("button", name="Archive old-one").click()
    expect(page.get_by_role("status")).to_contain_text("in the archive")
    expect(page.get_by_role("link", name="Start", exact=True)).to_have_count(0)
    page.get_by_text("Take out of the archive").first.click()
    page.get_by_label("Reason").fill("needed again")
    page.get_by_role("button", name="Take out of the archive").click()
    expect(page.get_by_role("status")).to_contain_text("in use again")
    expect(page.get_by_role("link", name="Start", exact=True)).to_be_visible()


def test_pages_of_processes_read_and_work_without_scripts(served: Served, windows: Watched) -> None:
    page = windows.plain("/processes/typed/start")
    page.get_by_label("text").fill("no script")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("The execution has begun.")).to_be_visible()


PAGES = (
    "/processes",
    "/processes?status=archived",
    "/processes/typed",
    "/processes/typed/start",
    "/processes/typed/archive",
    "/processes/typed/versions",
    "/processes/typed/versions/1",
    "/processes/typed/roles",
    "/processes/typed/versions/compare?from=1&to=2",
)


def test_pages_are_accessible_and_fit_at_every_width(served: Served, windows: Watched) -> None:
    page = windows.open("/")
    for path in PAGES:
        page.goto(served.url + path)
        check_everywhere(page, path)
        assert "owned" not in page.title()
        assert page.locator("main script, main img").count() == 0
    page.goto(f"{served.url}/processes/typed/start")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check_everywhere(page, "a refused form")
    windows.wrong = [text for text in windows.wrong if "422" not in text]
