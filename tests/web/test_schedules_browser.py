"""The pages of schedules in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.web.conftest import LIMIT_MS, Served, Watched, check_everywhere

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
    page.locator("#rule").fill("preset: daily\nat: '02:30'\ntimezone: Europe/Berlin")
    page.locator("#from").fill("2026-03-28T00:00:00Z")
    page.get_by_role("button", name="Show").click()
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
    page.get_by_role("button", name="Run it now").click()
    expect(page.get_by_role("status")).to_contain_text("has begun")
    page.get_by_role("button", name="Resume the schedule").click()
    expect(page.get_by_role("status")).to_contain_text("again")
    check_everywhere(page, "a schedule that was resumed")
