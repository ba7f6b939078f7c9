"""Amounts of figures in a real browser: none breaks between its digits."""

from playwright.sync_api import expect

from tests.waiting import until
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

WORKING = "name: working\nsteps:\n  - {id: work, agent: writer, message: go}\n"
BROKEN = """() => [...document.querySelectorAll(".facts.big dd")].filter((figure) => {
  const range = document.createRange();
  range.setStart(figure, 0);
  range.setEndBefore(figure.querySelector("small") ?? figure.lastChild);
  return new Set([...range.getClientRects()].filter((each) => each.width).map((each) => each.top)).size > 1;
}).map((figure) => figure.textContent)"""


def test_an_amount_is_on_one_line_beside_those_of_other_currencies(served: Served, windows: Watched) -> None:
    for number, currency in enumerate(("USD", "EUR")):
        paid = {"script": "echo", "cost": {"amount": "0.0196", "currency": currency}}
        served.publish(
            WORKING.replace("working", f"of-{number}").replace("writer", f"paid-{number}"), **{f"paid-{number}": paid}
        )
        served.begin(f"of-{number}")
    counted = "/api/analytics/processes?days=7&process=of-0,of-1"
    until(lambda: served.client.get(counted).json()["total"]["ended"] == 2)
    page = windows.open("/analytics?days=7&process=of-0,of-1")
    expect(page.locator("dl.facts")).to_contain_text("€0.0196")
    for width in (1280, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(BROKEN) == []
