"""The documentation of the API in a real browser: found, read, searched, with and without scripts."""

import re

from playwright.sync_api import expect

from tests.web.accessibility import check, check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)


def test_every_operation_of_the_description_is_listed(served: Served, windows: Watched) -> None:
    described = served.client.get("/openapi.json").json()
    operations = [each for item in described["paths"].values() for each in item.values()]
    page = windows.plain("/docs")
    assert len(operations) > 50
    expect(page.locator("details")).to_have_count(len(operations))
    text = page.locator("main").text_content() or ""
    for each in operations:
        assert each["summary"] in text
        assert each.get("x-permission", "no key") in text
        for parameter in each.get("parameters", ()):
            assert parameter["name"] in text
    for name in ("dry_run", "Idempotency-Key", "completed_at", "waiting_for"):
        assert name in text


def test_an_operation_is_searched_for_and_read_on_a_phone(served: Served, windows: Watched) -> None:
    page = windows.open("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="HTTP API").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The HTTP API")
    check_everywhere(page, "every operation")
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_label("Words").fill("cancel reason")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=cancel"))
    operation = page.locator("details", has_text="Cancel an execution").first
    if operation.get_attribute("open") is None:
        operation.locator("summary").press("Enter")
    expect(operation.get_by_text("curl -X POST")).to_be_visible()
    expect(operation.get_by_text("executions:write")).to_be_visible()
    check_everywhere(page, "one operation")
    page.goto(f"{served.url}/docs?q=nothing-has-this-name")
    expect(page.get_by_text("No operation matches")).to_be_visible()
    check(page, "none")
