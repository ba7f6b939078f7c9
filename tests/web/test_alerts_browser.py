"""Cost alerts in a real browser: raised while the page is open, acknowledged, and tried on the past."""

import time

from playwright.sync_api import expect

from tests.waiting import until
from tests.web.accessibility import check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

SPENDER = """
name: spender
steps: [{id: work, agent: writer, message: go}]
costs:
  # as agreed with Ann
  daily: {amount: "0.04", currency: USD, warn_at: 0.5}  # of all
  per_execution: {amount: "5", currency: USD, on_alert: cancel_execution}
  timezone: Europe/Berlin
"""


def test_an_alert_reaches_the_page_and_is_acknowledged(served: Served, windows: Watched) -> None:
    # given a process with thresholds, and the open page of alerts
    served.publish(SPENDER, writer={"script": "echo", "cost": {"amount": "0.02", "currency": "USD"}})
    page = windows.open("/alerts")
    expect(page.locator("main")).to_contain_text("No alert here")

    # when executions spend, then alerts and badge are there without a reload
    served.begin("spender")
    expect(page.locator("article.card")).to_have_count(1)
    served.begin("spender")
    begun = time.monotonic()
    expect(page.locator("article.card")).to_have_count(2)
    assert time.monotonic() - begun < 60
    expect(page.locator("nav.side a[title='Cost alerts']")).to_contain_text("2")
    # and each alert names the event that crosses, which came before it; the newest alert is the first
    items = served.client.get("/api/cost-alerts", params={"process": "spender"}).json()["items"]
    assert [(each["before"], each["after"]) for each in items] == [("0.02", "0.04"), ("0", "0.02")]
    for each in items:
        events = served.client.get(f"/api/executions/{each['crossing']['execution_id']}/events").json()["items"]
        crossing = next(event for event in events if event["position"] == each["crossing"]["position"])
        assert crossing["type"] == "CostRecorded"
        assert crossing["at"] <= each["raised_at"]
    expect(page.locator("article.card").first).to_contain_text("from 0.02 to 0.04")
    check_everywhere(page, "open alerts")

    # when one is acknowledged with a note, then it stands under its tab
    page.locator("article.card").first.get_by_label("Note").fill("<b>seen</b>")
    page.locator("article.card").first.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("main")).to_contain_text("<b>seen</b>")
    check_everywhere(page, "an acknowledged alert")
    page.goto(f"{served.url}/alerts?status=acknowledged")
    expect(page.locator("article.card")).to_have_count(1)

    # when the other one is snoozed, then none is open
    page.goto(f"{served.url}/alerts")
    page.get_by_role("button", name="Snooze").click()
    expect(page.locator("main")).to_contain_text("snoozed")
    until(lambda: served.client.get("/api/cost-alerts/count").json()["open"] == 0)

    # when the limit of the process is tried on the past, then the alert is drawn
    page.goto(f"{served.url}/processes/spender")
    expect(page.locator("section[aria-labelledby='h-lim']")).to_contain_text("stops cancel execution")
    check_everywhere(page, "a process with limits")
    page.locator("section[aria-labelledby='h-lim'] a[href*='kind=daily']").click()
    expect(page.locator("#h-found")).to_contain_text("1 alert in 30 days")
    expect(page.locator("#limit-daily-1")).to_contain_text("0.04 USD spent")
    expect(page.locator("#limit-daily-1")).to_contain_text("100%")
    expect(page.locator("#dear-1")).to_contain_text("0.04 USD")
    expect(page.locator("section[aria-labelledby='h-rec']")).to_contain_text("not enough history (2 of 5 runs)")
    check_everywhere(page, "the costs of a process with a limit on the past")

    # when the limit that was tried is used in the draft, then the text has it, and its comment
    page.get_by_label("Amount").fill("0.50")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#h-found")).to_contain_text("0 alerts in 30 days")
    page.get_by_role("button", name="Use as the limit in the draft").click()
    expect(page.get_by_text("It is in force once the draft is published")).to_be_visible()
    draft = served.client.get("/api/processes/spender").json()["yaml"]
    assert draft == SPENDER.replace('"0.04"', '"0.50"')

    # and used by command, then it is in force, and resolves what the lower one raised
    page.goto(f"{served.url}/processes/spender/costs?kind=daily&amount=0.50&currency=USD")
    page.get_by_label("Warning at, percent").fill("")
    page.get_by_role("button", name="Use as the limit now").click()
    expect(page.locator("#limit-daily-1")).to_contain_text("set by command")
    limits = served.client.get("/api/processes/spender/cost-thresholds").json()
    assert limits["daily"] == [{"amount": "0.50", "currency": "USD"}]
    assert limits["per_execution"] == [{"amount": "5", "currency": "USD", "on_alert": "cancel_execution"}]
    page.goto(f"{served.url}/alerts?status=over&process=spender")
    expect(page.locator("article.card")).to_have_count(2)

    # and a page that alerts of other processes share tries one too
    page.goto(f"{served.url}/alerts/what-if?process=spender&amount=0.03")
    expect(page.locator("#h-found")).to_contain_text("1 alert in 30 days")
    check_everywhere(page, "a limit on the past")


def test_thresholds_and_alerts_over_http(served: Served) -> None:
    # given a threshold that a command sets below what was spent
    client = served.client
    served.publish(
        SPENDER.replace("name: spender", "name: thrifty").split("costs:")[0],
        writer={"script": "echo", "cost": {"amount": "0.02", "currency": "USD"}},
    )
    served.begin("thrifty")
    until(lambda: client.get("/api/executions", params={"process": "thrifty", "status": "completed"}).json()["items"])
    address = "/api/processes/thrifty/cost-thresholds"
    level = {"amount": "0.02", "currency": "USD", "warn_at": 0.9}
    wrong = client.put(address, json={"daily": [{**level, "on_alert": "cancel_execution"}]})
    assert (wrong.status_code, wrong.json()["problems"][0]["path"]) == (422, "daily[0].on_alert")
    answer = client.put(address, json={"daily": [level], "timezone": "Asia/Kathmandu"})
    assert answer.status_code == 200, answer.text
    shown = client.get(address, params={"min_position": answer.json()["position"]}).json()
    assert (shown["daily"], shown["timezone"], shown["sources"]) == ([level], "Asia/Kathmandu", {"daily": "command"})

    # then both levels are raised at once
    def raised() -> list[dict[str, object]]:
        items: list[dict[str, object]] = client.get("/api/cost-alerts", params={"process": "thrifty"}).json()["items"]
        return items

    until(lambda: len(raised()) == 2)
    one = raised()[0]
    assert client.get(f"/api/cost-alerts/{one['alert_id']}").json()["crossing"]["execution_id"] is None
    body = {"process": "thrifty", "kind": "per_execution", "amount": "0.02", "currency": "USD"}
    simulated = client.post("/api/cost-alerts/simulate", json=body).json()
    assert (simulated["count"], simulated["items"][0]["after"]) == (1, "0.02")

    # when one is dismissed and the threshold cleared, then none is open
    assert client.post(f"/api/cost-alerts/{one['alert_id']}/dismiss", json={"note": "known"}).status_code == 200
    again = client.post(f"/api/cost-alerts/{one['alert_id']}/acknowledge", json={})
    assert (again.status_code, again.json()["code"]) == (409, "alert_over")
    assert client.delete(f"{address}/daily").status_code == 200
    until(lambda: sorted(str(each["status"]) for each in raised()) == ["dismissed", "resolved"])
