"""A call that has no price: seen on its execution, priced by hand, and corrected, in a real browser."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.waiting import until
from tests.web.accessibility import check, check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

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


RESTING = """
name: resting
input: {at: {type: string, required: true}}
steps:
  - {id: think, agent: paid, message: hi}
  - {id: rest, type: timer, until: "{{ input.at }}", depends_on: think}
  - {id: write, agent: paid, message: hi, depends_on: rest}
"""


def test_what_is_still_to_come_stands_beside_what_was_spent(served: Served, windows: Watched) -> None:
    # given five executions that have completed, and one that waits before its last step
    served.publish(RESTING, paid={"script": "echo", "cost": {"amount": "0.02", "currency": "USD"}})

    def begin(at: str) -> str:
        answer = served.client.post("/api/processes/resting/executions", json={"input": {"at": at}})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["execution_id"])

    done = [begin("2020-01-01T00:00:00Z") for _ in range(5)]
    until(lambda: all(served.client.get(f"/api/executions/{id}").json()["status"] == "completed" for id in done))
    id = begin((datetime.now(UTC) + timedelta(days=1)).isoformat())
    until(lambda: "TimerStarted" in served.client.get(f"/api/executions/{id}/events").text)

    # then its page says what the step will likely cost, and when it usually would have ended
    page = windows.open(f"/executions/{id}?step=write")
    facts = page.locator("dl.facts")
    expect(facts).to_contain_text("Still to come")
    expect(facts).to_contain_text("about $0.0200")
    expect(facts).to_contain_text("Likely end")
    expect(facts).to_contain_text("by the last 5 completed")
    expect(page.locator("aside")).to_contain_text("9 in 10 at most $0.0200")
    expect(page.locator("section[aria-labelledby=h-es]")).to_contain_text("5 runs of this version")
    check_everywhere(page, "an execution with estimates")

    # and the page of the process has the estimates with their record
    page.goto(f"{served.url}/processes/resting")
    page.locator("main").get_by_role("link", name="Costs", exact=True).first.click()
    expect(page.locator("section[aria-labelledby=h-rec]")).to_contain_text("about $0.0200")
    check_everywhere(page, "the costs of a process without limits")
