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
