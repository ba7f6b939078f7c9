"""Reading executions in a real browser: search, time travel, two points compared, the tree, the cause of a failure."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.accessibility import check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

BROKEN = """
name: broken
steps:
  - {id: try, name: Try it, agent: breaker, message: go}
"""
MIDDLE = """
name: middle
steps:
  - {id: relay, name: Relay, type: sub_process, process: broken}
"""
TOP = """
name: top
steps:
  - {id: call, name: Call the middle, type: sub_process, process: middle}
"""


@pytest.fixture(scope="module")
def failed(served: Served) -> str:
    """Return the root of a run of three executions, of which the deepest failed first."""
    served.publish(BROKEN, breaker={"script": "fail"})
    served.publish(MIDDLE)
    served.publish(TOP)
    return served.begin("top")


def test_the_end_of_an_id_leads_to_an_execution(served: Served, windows: Watched, failed: str) -> None:
    page = windows.open("/")
    page.keyboard.press("/")
    page.keyboard.type(failed[-8:])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/executions/{failed}"))


def test_a_failure_leads_to_its_cause_however_deep(served: Served, windows: Watched, failed: str) -> None:
    page = windows.open(f"/executions/{failed}")
    page.get_by_role("link", name=re.compile("Go to the cause: try of broken")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("broken")
    expect(page.locator("aside").get_by_role("heading", name="Try it")).to_be_visible()
    expect(page.get_by_role("navigation", name="Breadcrumb").get_by_role("link")).to_have_text(
        ["Executions", "top", "middle"]
    )


def test_the_tree_shows_the_whole_run(served: Served, windows: Watched, failed: str) -> None:
    page = windows.open(f"/executions/{failed}")
    page.get_by_role("link", name="All executions of this run").click()
    expect(page.get_by_role("rowheader").get_by_role("link")).to_have_text(["top", "middle", "broken"])
    expect(page.locator("tr.on")).to_contain_text("this one")


@pytest.mark.parametrize("scripts", [True, False])
def test_time_is_travelled_with_and_without_scripts(
    served: Served, windows: Watched, failed: str, scripts: bool
) -> None:
    page = windows.open(f"/executions/{failed}", java_script_enabled=scripts)
    expect(page.get_by_role("alert")).to_be_visible()
    if scripts:
        page.get_by_role("slider", name="Event").press("Home")
    else:
        page.get_by_role("link", name="One event back").click()
    expect(page).to_have_url(re.compile("as_of="))
    expect(page.get_by_text("as it was at event")).to_be_visible()
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name="What changed")).to_be_visible()
    expect(page.locator("ins", has_text='"failed"').first).to_be_visible()


def test_the_pages_are_accessible_and_fit(served: Served, windows: Watched, failed: str) -> None:
    page = windows.open("/")
    for path in (
        f"/executions/{failed}/tree",
        f"/executions/{failed}/tree?status=running",
        f"/executions/{failed}/compare",
        f"/executions/{failed}?step=call",
        "/executions?q=0000&version=1",
    ):
        page.goto(served.url + path)
        check_everywhere(page, path)


def test_focus_stays_with_its_row_while_rows_come_and_go(served: Served, windows: Watched) -> None:
    served.publish("name: asked\nsteps: [{id: ask, type: human_approval, title: Well?, approvers: [ann]}]\n")
    older, focused = served.begin("asked"), served.begin("asked")
    for path in ("/", "/executions?process=asked"):
        page = windows.open(path)
        link = page.locator(f"main tbody a[href='/executions/{focused}']").first
        link.focus()
        newer = [served.begin("asked") for _ in range(12)]
        served.client.post(f"/api/executions/{older}/cancel", json={"reason": "no longer asked"})
        older = newer[0]
        expect(page.locator(f"main a[href='/executions/{newer[-1 if path != '/' else 0]}']").first).to_be_visible()
        expect(link).to_be_focused()
