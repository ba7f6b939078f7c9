"""A call that has no price: seen on its execution, priced by hand, and corrected, in a real browser."""

from playwright.sync_api import expect

from tests.web.conftest import LIMIT_MS, Served, Watched, check

expect.set_options(timeout=LIMIT_MS)

SOURCE = """
name: costly
steps:
  - {id: known, agent: public, message: hi}
  - {id: unknown, agent: house, message: hi, depends_on: known}
"""
PUBLIC = {"input_tokens": 10_000, "output_tokens": 500, "model": "gpt-4o-2024-08-06"}
OWN = {"input_tokens": 1_000_000, "output_tokens": 5, "model": "<b>own</b>"}


def test_an_operator_prices_what_had_no_price(served: Served, windows: Watched) -> None:
    page = windows.open("/costs", viewport={"width": 390, "height": 800})
    expect(page.locator("main")).to_contain_text("Every call has a price")
    check(page, "/costs, empty")
    served.publish(
        SOURCE,
        public={"script": "echo", "provider": "openai", "usage": PUBLIC},
        house={"script": "echo", "provider": "house", "usage": OWN},
    )
    id = served.begin("costly")
    page.goto(f"{served.url}/executions/{id}")
    expect(page.locator("main")).to_contain_text("Completed")
    costs = page.locator("section[aria-labelledby=h-co]")
    expect(costs).to_contain_text("genai-prices")
    expect(costs).to_contain_text("not priced")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.reload()
        check(page, f"one execution with costs, {theme}")

    page.goto(f"{served.url}/costs")
    row = page.get_by_role("row").filter(has_text="<b>own</b>")
    expect(row).to_contain_text("price missing")
    check(page, "/costs with one")
    row.get_by_text("Add a price").click()
    row.get_by_label("Input").fill("2.50")
    row.get_by_label("Output").fill("0")
    check(page, "/costs with a form")
    row.get_by_role("button", name="Add the price").click()
    expect(page.get_by_text("The price counts from now on")).to_be_visible()
    row.get_by_text("Price anew").first.click()
    row.get_by_role("button", name="Show the difference").click()
    expect(page.get_by_role("heading", name="1 costs of <b>own</b> would change")).to_be_visible()
    check(page, "/costs with a difference")
    row.get_by_text("Price anew").first.click()
    row.get_by_label("Reason", exact=True).fill("the price was missing")
    row.get_by_role("button", name="Price anew").click()
    expect(page.locator("main")).to_contain_text("Every call has a price")
    page.goto(f"{served.url}/executions/{id}")
    expect(costs).to_contain_text("booked: not priced")
    expect(costs).to_contain_text("override")
