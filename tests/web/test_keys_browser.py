"""From the empty installation to two people with keys of their own, who see and do what is theirs."""

import re

from playwright.sync_api import Page, expect

from tests.web.accessibility import check
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

PAUSING = """
name: pausing
steps: [{id: pause, type: timer, duration: 1h}]
"""
EMPTY = ("/", "/executions", "/approvals", "/keys", "/operations", "/operations/timers", "/operations/set-aside")


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("Your key").focus()
    page.keyboard.type(key)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Signed in as")).to_have_count(1)
    page.wait_for_selector("html[data-zone='Europe/Berlin']")  # the first page of a reader comes again in its zone


OTHER = PAUSING.replace("pausing", "other")
SEEN = {"eye": ["pausing"], "desk": ["pausing", "other"]}


def test_two_people_with_different_keys_see_and_do_what_is_theirs(served: Served, windows: Watched) -> None:
    page = windows.open("/", viewport={"width": 390, "height": 800})
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        for path in EMPTY:
            page.goto(served.url + path)
            check(page, f"{path}, empty, {theme}")
    served.publish(PAUSING)
    served.publish(OTHER)
    id = served.begin("pausing")
    root = served.client.post("/api/keys", json={"name": "root", "scopes": ["admin"]}).json()["key"]
    shown = {"Authorization": f"Bearer {root}"}
    keys = {}
    for name, scope in (("eye", "viewer"), ("desk", "operator")):
        fields = {"name": name, "scopes": [scope], "processes": SEEN[name]}
        made = served.client.post("/api/keys", json=fields, headers=shown)
        assert made.status_code == 201, made.text
        keys[name] = made.json()["key"]
    path = f"/executions/{id}?step=pause"
    page.goto(served.url + path)
    expect(page.get_by_label("Your key")).to_be_visible()
    check(page, "sign-in")
    sign_in(page, keys["eye"])
    desk = windows.open(path, framed=False)
    sign_in(desk, keys["desk"])
    for each in (page, desk):
        each.goto(served.url + path)
    expect(page.locator("main")).to_contain_text("Running")
    for word in ("Cancel execution", "Skip step", "Timer: timer"):
        expect(page.get_by_text(word)).to_have_count(0)
        expect(desk.get_by_text(word).first).to_be_visible()
    desk.locator("summary", has_text="Cancel execution").press("Enter")
    desk.locator("#cancel-reason").fill("the desk ends it")
    desk.locator("#cancel-reason").press("Tab")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("status")).to_contain_text("cancelled")
    expect(page.locator(".head")).to_contain_text("Cancelled")
    for each in (page, desk):
        each.goto(f"{served.url}/executions")
        expect(each.get_by_role("rowheader")).to_have_count(1)
    served.client.headers.update(shown)
    hidden = served.begin("other")
    served.begin("pausing")
    expect(desk.get_by_role("rowheader").get_by_role("link")).to_have_text(["pausing", "other", "pausing"])
    expect(page.get_by_role("rowheader").get_by_role("link")).to_have_text(["pausing", "pausing"])
    answer = page.goto(f"{served.url}/executions/{hidden}")
    assert answer is not None
    assert answer.status == 404
    answer = page.goto(f"{served.url}/executions/{id}/cancel")
    assert answer is not None
    assert answer.status == 403
    check(page, "no permission")
    windows.wrong = [text for text in windows.wrong if not {"401", "403", "404"} & set(re.findall("[0-9]+", text))]
