"""The pages of schedules in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.accessibility import check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

TICKING = """
name: ticking
steps: [{id: a, type: timer, duration: 1s}]
triggers: [{type: schedule, id: tick, cron: "* * * * *", overlap: allow}]
"""


@pytest.fixture(scope="module", autouse=True)
def _published(served: Served) -> None:
    served.publish(TICKING)


def test_a_rule_is_tried_out_before_anything_is_saved(served: Served, windows: Watched) -> None:
    page = windows.open("/schedules")
    page.get_by_role("link", name="Try a rule").click()
    check_everywhere(page, "a rule to try out")
    page.locator("#from").fill("2026-03-28T00:00:00Z")
    page.locator("#rule").fill("preset: daily\nat: '25:30'")
    expect(page.locator("#tried")).to_contain_text("up to 23:59")
    page.locator("#rule").fill("preset: daily\nat: '02:30'\ntimezone: Europe/Berlin")
    expect(page.locator("main table tbody tr").nth(1)).to_contain_text("2026-03-29 03:00:00")
    expect(page.locator("main table tbody tr").nth(1)).to_contain_text("clocks go forward")
    check_everywhere(page, "the instants of a rule")


def test_the_editor_shows_when_a_schedule_comes_while_it_is_typed(served: Served, windows: Watched) -> None:
    page = windows.open("/processes/ticking/edit")
    expect(page.locator(".cm-content")).to_be_visible()
    expect(page.locator("#schedules")).to_contain_text("tick")
    page.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(TICKING.replace('cron: "* * * * *"', "preset: monthly, day: 31"))
    expect(page.locator("#schedules")).to_contain_text("month")
    check_everywhere(page, "the editor with coming runs")


def test_the_fleet_shows_what_comes_and_is_steered_from_the_list(served: Served, windows: Watched) -> None:
    page = windows.open("/schedules")
    row = page.get_by_role("row", name="ticking")
    expect(page.get_by_role("img", name="Expected runs: ticking 200+")).to_be_visible()
    expect(row.locator("svg.ledger")).to_have_attribute("aria-label", re.compile(r"\d started, 2 expected"))
    page.get_by_role("link", name="Week").click()
    page.get_by_text("Show as a table").click()
    expect(page.locator("#fleet-table")).to_contain_text("and more")
    check_everywhere(page, "the coming week")

    row.get_by_role("button", name="Pause").click()
    page.keyboard.type("a quiet hour")
    check_everywhere(page, "the question before a pause")
    before = page.locator("#live").get_attribute("title") or ""
    served.begin("ticking")
    expect(page.locator("#live")).not_to_have_attribute("title", before)
    expect(page.get_by_label("Reason").first).to_have_value("a quiet hour")
    page.get_by_role("button", name="Pause the schedule").click()
    expect(page.get_by_role("status")).to_contain_text("is paused")
    expect(row).to_contain_text("Paused")
    row.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("status")).to_contain_text("again")
    expect(page.get_by_role("link", name="Week")).to_have_attribute("aria-current", "page")
    row.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("status")).to_contain_text("has begun")


def test_a_person_finds_a_schedule_pauses_it_and_runs_it_by_keyboard(served: Served, windows: Watched) -> None:
    page = windows.open("/schedules")
    check_everywhere(page, "the fleet")
    page.get_by_role("link", name="ticking").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("ticking: tick")
    expect(page.locator("main table tbody tr").first).to_contain_text("Started")
    check_everywhere(page, "a schedule with a ledger")

    page.locator("#pause-reason").focus()
    page.keyboard.type("to see the ledger")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("is paused")
    expect(page.locator("main")).to_contain_text("Paused: to see the ledger")
    page.locator("#rule").fill("0 2 29 2 *")
    expect(page.locator("#tried")).to_contain_text("2028-02-29 02:00:00")
    page.get_by_role("button", name="Run it now").click()
    expect(page.get_by_role("status")).to_contain_text("has begun")
    page.get_by_role("button", name="Resume the schedule").click()
    expect(page.get_by_role("status")).to_contain_text("again")
    check_everywhere(page, "a schedule that was resumed")
