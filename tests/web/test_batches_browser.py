"""Acts on many in a real browser: from a filter to a frozen list, to its progress, which the page follows by itself."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.accessibility import check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

WAITING = "name: waiting\nsteps: [{id: rest, type: timer, duration: 10h}]\n"
BREAKING = "name: breaking\nsteps: [{id: try, agent: breaker, message: go}]\n"


@pytest.fixture(scope="module", autouse=True)
def _published(served: Served) -> None:
    served.publish(WAITING)
    served.publish(BREAKING, breaker={"script": "fail"}, mended={"script": "echo"})


def test_a_person_cancels_what_a_filter_finds_and_watches(served: Served, windows: Watched) -> None:
    for _ in range(3):
        served.begin("waiting")
    page = windows.open("/executions?process=waiting&status=running")
    expect(page.locator("#list tbody tr")).to_have_count(3)
    page.get_by_role("link", name="Act on these").click()
    check_everywhere(page, "the form that acts on many")
    page.get_by_role("button", name="Freeze the list").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cancel: 3 executions")
    expect(page.get_by_role("region", name="Executions of the list").locator("tbody tr")).to_have_count(3)
    check_everywhere(page, "a frozen list")
    page.locator("#run-reason").fill("the supplier is down")
    page.get_by_role("button", name="Cancel: 3 executions").click()
    expect(page.locator("#h-far")).to_have_text("3 of 3 gone through")
    expect(page.locator(".head")).to_contain_text("Done")
    check_everywhere(page, "a batch that has ended")
    page.goto(f"{served.url}/executions?process=waiting&status=cancelled")
    expect(page.locator("#list tbody tr")).to_have_count(3)


def test_a_person_gives_a_failed_step_of_many_to_another_agent(served: Served, windows: Watched) -> None:
    for _ in range(2):
        served.begin("breaking")
    page = windows.open("/executions?process=breaking&status=failed")
    expect(page.locator("#list tbody tr")).to_have_count(2)
    page.get_by_role("link", name="Act on these").click()
    page.get_by_label("Act", exact=True).select_option("reassign")
    page.get_by_role("button", name="Freeze the list").click()
    expect(page.get_by_role("alert")).to_contain_text("names a step")
    page.get_by_label("Step").fill("try")
    page.get_by_label("Agent").fill("mended")
    page.get_by_role("button", name="Freeze the list").click()
    page.locator("#run-reason").fill("this one works")
    page.get_by_role("button", name=re.compile("^Reassign a step: 2")).click()
    expect(page.locator("#h-far")).to_have_text("2 of 2 gone through")
    page.get_by_role("navigation", name="Operations").get_by_role("link", name="Batches").click()
    expect(page.locator("#list tbody tr").first).to_contain_text("Reassign a step")
    check_everywhere(page, "the list of batches")
    windows.wrong = [text for text in windows.wrong if "422" not in text]
