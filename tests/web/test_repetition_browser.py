"""Steps that go through a list or repeat, in a real browser: progress, items, rounds, and the way back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web.accessibility import check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

# A browser that was led to a place in a page takes the focus away in the frame in which it shows that place.
NEXT_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
HOSTILE = "<img src=x onerror=alert(1)>"
TRIP = """
name: trip
steps:
  - id: visit
    name: Visit
    type: sub_process
    for_each: {items: [attic, barn, "<img src=x onerror=alert(1)>"], as: place, key: "{{ place }}", on_error: collect}
    steps:
      - {id: look, agent: looker, message: "{{ input.place }}", condition: input.place != 'barn'}
      - {id: fall, agent: breaker, message: ouch, condition: input.place == 'barn'}
    outputs: {seen: "{{ steps.look.output || 'nothing' }}"}
  - id: revise
    name: Revise
    type: sub_process
    depends_on: visit
    input_mapping: {draft: none}
    repeat: {until: round == 2, carry: {draft: "{{ last.output.text }}"}}
    steps: [{id: write, agent: looker, message: "{{ input.draft }}!"}]
    outputs: {text: "{{ steps.write.output }}"}
outputs: {visited: "{{ steps.visit.output }}"}
"""


def arrive(page: Page) -> None:
    """Wait until the page is loaded and shows the place that its address names: keys before that get lost."""
    page.wait_for_load_state()
    page.evaluate(NEXT_FRAMES)


@pytest.fixture(scope="module")
def trip(served: Served) -> str:
    """Return an execution that went through a list, of which an item failed, and then through two rounds."""
    served.publish(TRIP, looker={"script": "echo"}, breaker={"script": "fail"})
    return served.begin("trip")


def test_a_list_shows_its_progress_and_leads_to_each_item_and_back(served: Served, windows: Watched, trip: str) -> None:
    page = windows.open(f"/executions/{trip}?step=visit")
    panel = page.locator("aside")
    expect(panel).to_contain_text("2 of 3 completed, 1 failed")
    expect(page.locator("#below-visit")).to_contain_text("3 of 3 items")
    panel.get_by_role("link", name="those that failed").click()
    expect(page.get_by_role("rowheader").get_by_role("link")).to_have_text(["trip: visit, barn"])
    page.get_by_role("rowheader").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("trip")
    expect(page).to_have_title(re.compile("trip: visit, barn"))
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="trip", exact=True).click()
    expect(page).to_have_url(re.compile(f"/executions/{trip}"))


def test_an_item_is_text_whatever_its_key_is(served: Served, windows: Watched, trip: str) -> None:
    page = windows.open(f"/executions/{trip}?step=visit")
    page.locator("aside").get_by_role("link", name=re.compile(re.escape(HOSTILE))).click()
    expect(page.get_by_role("navigation", name="Breadcrumb")).to_contain_text(f"trip: visit, {HOSTILE}")


def test_rounds_fold_below_their_step(served: Served, windows: Watched, trip: str) -> None:
    page = windows.open(f"/executions/{trip}")
    rounds = page.locator("#below-revise")
    expect(rounds.get_by_role("link")).to_have_count(0)
    rounds.get_by_text("2 rounds").click()
    expect(rounds.get_by_role("link")).to_have_count(2)
    rounds.get_by_role("link", name=re.compile("round 2")).click()
    expect(page).to_have_title(re.compile("trip: revise, round 2"))


@pytest.mark.parametrize("path", ["/processes/trip", "/processes/trip/versions/1", "/processes/trip/definition", ""])
def test_a_step_shows_the_steps_inside_its_box_when_it_is_opened(
    served: Served, windows: Watched, trip: str, path: str
) -> None:
    page = windows.open(path or f"/executions/{trip}")
    inside = page.get_by_role("group", name="Diagram of the 2 steps inside visit")
    expect(inside).to_have_count(0)
    page.get_by_role("link", name="Show the 2 steps inside Visit").click()
    expect(inside).to_be_visible()
    arrive(page)
    page.get_by_role("link", name="Show the 1 step inside Revise").press("Enter")
    expect(page.get_by_role("group", name="Diagram of the 1 step inside revise")).to_be_visible()
    close = page.get_by_role("link", name="Hide the 2 steps inside Visit")
    assert close.get_attribute("aria-expanded") == "true"
    close.click()
    expect(inside).to_have_count(0)
    expect(page).to_have_url(re.compile("inside=revise#h-dia"))


def test_the_pages_are_accessible_and_fit(served: Served, windows: Watched, trip: str) -> None:
    page = windows.open("/")
    for path in (
        f"/executions/{trip}?step=visit",
        f"/executions/{trip}?step=revise&inside=visit",
        "/processes/trip?inside=visit,revise",
    ):
        page.goto(served.url + path)
        check_everywhere(page, path)
