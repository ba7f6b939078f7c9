"""Hostile texts on the pages of schedules, alerts, costs, calendars, analytics, roles and processes, in a browser."""

import json
from urllib.parse import quote, urlencode

from playwright.sync_api import expect

from tests.waiting import until
from tests.web.conftest import LIMIT_MS, Served, Watched
from tests.web.corpus import HOSTILE, LINE, NASTY, harmless

expect.set_options(timeout=LIMIT_MS)

DEFINITION = {
    "name": "nasty",
    "description": NASTY,
    "labels": [LINE, HOSTILE[4]],
    "owner": LINE,
    "input": {"text": {"type": "string", "default": NASTY, "description": NASTY}},
    "steps": [
        {"id": "pay", "name": LINE, "agent": "dear", "message": "{{ input.text }}"},
        {"id": "free", "name": HOSTILE[2], "agent": "house", "message": "{{ input.text }}"},
        {"id": "fails", "name": HOSTILE[7], "agent": "breaker", "message": "go", "depends_on": ["pay", "free"]},
    ],
    "triggers": [{"type": "schedule", "id": "nightly", "cron": "0 3 * * *", "except": ["closed"]}],
    "costs": {"daily": {"amount": "0.01", "currency": "USD"}},
}
UNKNOWN = {"input_tokens": 1_000_000, "output_tokens": 5, "model": LINE}


def test_texts_of_people_and_agents_stay_texts_on_every_page(served: Served, windows: Watched) -> None:
    # given a process, agents, a calendar, an alert, a schedule and costs that are full of hostile texts
    days = served.client.put("/api/calendars/closed", json={"days": ["2027-01-01"]})
    assert days.status_code in (200, 201), days.text
    served.publish(
        json.dumps(DEFINITION),
        dear={"script": "echo", "cost": {"amount": "0.02", "currency": "USD"}},
        house={"script": "echo", "usage": UNKNOWN},
        breaker={"script": "fail", "error": {"message": NASTY, "permanent": True}},
    )
    id = served.begin("nasty")
    page = windows.open(f"/executions/{id}")
    expect(page.locator(".head")).to_contain_text("Failed")
    until(lambda: bool(served.client.get("/api/cost-alerts").json()["items"]))
    alert = served.client.get("/api/cost-alerts").json()["items"][0]["alert_id"]
    noted = served.client.post(f"/api/cost-alerts/{alert}/acknowledge", json={"note": NASTY})
    assert noted.status_code == 200, noted.text
    schedule = served.client.get("/api/schedules").json()["items"][0]["schedule_id"]
    paused = served.client.post(f"/api/schedules/{schedule}/pause", json={"reason": NASTY})
    assert paused.status_code == 200, paused.text
    held = served.client.post("/api/processes/nasty/pause", json={"reason": NASTY, "mode": "queue"})
    assert held.status_code == 200, held.text

    # when a person opens each page, then all of it is text, whatever the address says
    rule = f"preset: daily\nat: '02:30'\nexcept: ['{HOSTILE[0]}']"
    asked = urlencode({"label": LINE, "version": LINE, "timezone": LINE, "process": LINE, "currency": LINE})
    for path, shown in (
        ("/", NASTY),
        ("/executions", ""),
        (f"/executions/{id}?step=fails", HOSTILE[7]),
        (f"/executions/{id}?step=pay&show=trouble", LINE),
        (f"/executions?{asked}", ""),
        (f"/processes/nasty/start?input_of={id}", HOSTILE[3]),
        ("/schedules", ""),
        (f"/schedules?process={quote(LINE)}", ""),
        (f"/schedules/{schedule}", NASTY),
        (f"/schedules/preview?{urlencode({'rule': rule})}", ""),
        ("/alerts?status=acknowledged", NASTY),
        (f"/alerts/{alert}", NASTY),
        (f"/alerts/what-if?{urlencode({'process': 'nasty', 'amount': LINE, 'currency': LINE})}", ""),
        ("/costs", LINE),
        ("/analytics", ""),
        (f"/analytics?{asked}", ""),
        ("/processes", ""),
        ("/processes/nasty", NASTY),
        ("/processes/nasty/definition", LINE),
        ("/processes/nasty/roles", LINE),
        ("/processes/nasty/triggers", ""),
        ("/processes/nasty/costs", ""),
        (f"/processes/nasty/costs?{urlencode({'amount': LINE, 'kind': LINE, 'currency': LINE})}", ""),
        ("/processes/nasty/analytics", ""),
        ("/processes/nasty/versions/1", LINE),
        ("/processes/nasty/archive", ""),
        ("/processes/nasty/publish", ""),
        ("/agents/breaker", ""),
        (f"/search?q={quote(LINE)}", ""),
    ):
        page.goto(served.url + path)
        expect(page.locator("main")).to_be_visible()
        harmless(page, path)
        if shown:
            assert shown in page.locator("main").inner_text(), path
    windows.wrong = [text for text in windows.wrong if not any(code in text for code in ("400", "404", "422"))]
