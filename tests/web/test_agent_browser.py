"""Pages of agents in a real browser, with the real server and a real worker."""

import pytest
from playwright.sync_api import expect

from tests.web.accessibility import check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">{{ 1 }} \u202eevil"
SOURCE = """
name: writing
steps:
  - {id: write, name: Write, agent: writer, message: hello}
  - {id: break, name: Break, agent: breaker, message: hello}
"""
INFORMING = """
name: informing
input: {text: {type: string, required: true}}
steps: [{id: write, agent: writer, message: "{{ input.text }}", roles: {informed: [archive]}}]
"""
REGISTER = "/agents/-/register"


@pytest.fixture(scope="module", autouse=True)
def _published(served: Served) -> None:
    served.publish(SOURCE, writer={"script": "echo"}, breaker={"script": "fail"})
    served.begin("writing")
    served.publish(INFORMING, archive={"script": "echo"})
    served.begin("informing", text=HOSTILE)


def test_a_person_registers_tries_and_retires_an_agent(served: Served, windows: Watched) -> None:
    page = windows.open("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Agents").click()
    page.get_by_role("link", name="Register an agent").click()
    page.get_by_role("link", name="scripted").click()
    page.get_by_label("name", exact=True).fill("Not A Name")
    page.get_by_label("script", exact=True).select_option("json_echo")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("alert")).to_contain_text("1 problem")
    expect(page.get_by_label("script", exact=True)).to_have_value("json_echo")
    page.get_by_label("name", exact=True).fill("new-one")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("status")).to_contain_text("registered")
    page.get_by_label("Message").fill(HOSTILE)
    page.get_by_role("button", name="Try").click()
    answer = page.get_by_role("status", name="Answer")
    expect(answer).to_contain_text("Completed")
    expect(answer).to_contain_text("<script>")
    expect(page.get_by_label("Message")).to_have_value(HOSTILE)
    page.get_by_role("link", name="Retire", exact=True).click()
    expect(page.get_by_text("0 steps name it.")).to_be_visible()
    page.get_by_label("Reason").fill("not needed")
    page.get_by_role("button", name="Retire new-one").click()
    expect(page.get_by_role("status")).to_contain_text("retired")
    windows.wrong = [text for text in windows.wrong if "422" not in text]  # the refused form


def test_an_inbox_shows_its_entries_as_data_and_is_filtered(served: Served, windows: Watched) -> None:
    page = windows.open("/agents/archive")
    page.get_by_role("link", name="Inbox").click()
    entries = page.get_by_role("region", name="Table of entries")
    expect(entries.get_by_role("row").nth(1)).to_contain_text("informing")
    expect(entries.get_by_role("row").nth(1)).to_contain_text("<script>")
    check_everywhere(page, "an inbox")
    page.get_by_label("Types").fill("StepCompletd")
    page.get_by_role("button", name="Set the filter").click()
    expect(page.get_by_role("alert")).to_contain_text("did you mean")
    check_everywhere(page, "a refused filter")
    page.get_by_label("Types").fill("StepCompleted, StepFailed")
    page.get_by_label("Steps").focus()
    page.keyboard.type("other")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The filter holds")
    expect(page.get_by_label("Steps")).to_have_value("other")
    # Entries of before the filter stay.
    expect(entries.get_by_role("row").nth(1)).to_contain_text("informing")
    assert "owned" not in page.title()
    windows.wrong = [text for text in windows.wrong if "422" not in text]  # the refused form


def test_pages_of_agents_work_without_scripts(served: Served, windows: Watched) -> None:
    page = windows.plain("/agents/writer")
    page.get_by_label("Message").fill("no script")
    page.get_by_role("button", name="Try").click()
    expect(page.get_by_label("Output")).to_have_text("no script")


PAGES = (
    "/agents",
    "/agents?kind=http",
    "/agents/writer",
    "/agents/breaker/retire",
    REGISTER,
    f"{REGISTER}?kind=openai_chat",
    f"{REGISTER}?kind=scripted",
    f"{REGISTER}?name=breaker",
)


def test_pages_are_accessible_and_fit_at_every_width(served: Served, windows: Watched) -> None:
    page = windows.open("/")
    for path in PAGES:
        page.goto(served.url + path)
        check_everywhere(page, path)
    page.goto(f"{served.url}/agents/breaker")
    page.get_by_label("Message").fill(HOSTILE)
    page.get_by_role("button", name="Try").click()
    expect(page.get_by_role("status", name="Answer")).to_contain_text("Failed")
    check_everywhere(page, "an answer")
    page.goto(f"{served.url}{REGISTER}")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check_everywhere(page, "a refused form")
    assert "owned" not in page.title()
    windows.wrong = [text for text in windows.wrong if "422" not in text]
