"""Acts in a real browser by keyboard, pages that stay while things change, and texts and sizes that nobody expects."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web.accessibility import check, check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched
from tests.web.corpus import HOSTILE, NASTY, harmless

expect.set_options(timeout=LIMIT_MS)

ASKING = """
name: asking
input: {text: {type: string, default: "Dear all"}}
steps:
  - {id: write, agent: writer, message: "{{ input.text }}"}
  - id: ask
    type: human_approval
    title: "Out? {{ input.text }}"
    description: "{{ input.text }}"
    artifacts: [{letter: "{{ steps.write.output }}"}]
    depends_on: write
  - {id: send, agent: writer, message: send, depends_on: ask}
"""
BUSY = """
name: busy
steps:
  - {id: long, name: Long work, agent: sleeper, message: go}
  - {id: ask, type: human_approval, title: "Out?"}
"""
PAUSING = """
name: pausing
steps: [{id: pause, name: Wait, type: timer, duration: 1h}]
"""
FAILING = """
name: failing
steps: [{id: try, agent: breaker, message: go}]
"""


@pytest.fixture(scope="module", autouse=True)
def _published(served: Served) -> None:
    served.publish(ASKING, writer={"script": "echo"}, other={"script": "echo"})
    served.publish(BUSY, sleeper={"script": "slow", "delay": "10m"})
    served.publish(PAUSING)
    served.publish(FAILING, breaker={"script": "fail"})


def wait_for_approval(served: Served, page: Page, id: str) -> None:
    page.goto(f"{served.url}/executions/{id}?step=ask")
    expect(page.locator("aside")).to_contain_text("Waiting")


def test_a_step_gets_another_agent_by_keyboard_after_a_preview(served: Served, windows: Watched) -> None:
    id = served.begin("busy")
    page = windows.open(f"/executions/{id}?step=long")
    page.get_by_role("link", name="Reassign step").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Agent")).to_be_focused()
    page.keyboard.type("other")
    page.keyboard.press("Tab")
    page.keyboard.type("knows the customer")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Preview")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("StepReassigned")
    expect(page.get_by_label("Reason")).to_have_value("knows the customer")
    check(page, "preview")
    before = served.client.get(f"/api/executions/{id}/events").json()["items"]
    assert "StepReassigned" not in {each["type"] for each in before}
    page.get_by_role("button", name="Reassign step").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("another agent")
    expect(page.locator("aside .kv")).to_contain_text("other")


def test_a_refusal_keeps_what_was_typed(served: Served, windows: Watched) -> None:
    id = served.begin("busy")
    page = windows.open(f"/executions/{id}/steps/long/reassign")
    page.get_by_label("Agent").fill("nobody-here")
    page.get_by_label("Reason").fill(NASTY)
    page.get_by_role("button", name="Reassign step").click()
    expect(page.get_by_role("alert")).to_contain_text("there is no agent")
    expect(page.get_by_label("Agent")).to_have_value("nobody-here")
    expect(page.get_by_label("Reason")).to_have_value(NASTY)
    check(page, "refusal")
    windows.wrong = [text for text in windows.wrong if "409" not in text]


def test_an_approval_is_read_and_decided_by_keyboard(served: Served, windows: Watched) -> None:
    id = served.begin("asking", text="The whole letter")
    page = windows.open("/executions")
    wait_for_approval(served, page, id)
    other = served.begin("asking", text="Another letter")
    wait_for_approval(served, page, other)
    page.goto(f"{served.url}/approvals/{served.approval(other, 'ask')}")
    beside = page.get_by_role("navigation", name="Approvals for you")
    expect(beside.locator("[aria-current]")).to_contain_text("Another letter")
    page.keyboard.press("j")
    page.wait_for_url(re.compile(f"/approvals/{id}"))
    page.keyboard.press("k")
    page.wait_for_url(re.compile(f"/approvals/{other}"))
    page.keyboard.press("j")
    page.wait_for_url(re.compile(f"/approvals/{id}"))
    check_everywhere(page, "an approval beside others")
    expect(page.get_by_label("Artifact", exact=False).first).to_contain_text("The whole letter")
    page.get_by_label("Comment").focus()
    page.keyboard.type("reads well")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("recorded")
    expect(page.locator("main")).to_contain_text("reads well")


def test_a_timer_of_an_execution_is_moved_and_fired_from_its_page(served: Served, windows: Watched) -> None:
    id = served.begin("pausing")
    page = windows.open(f"/executions/{id}?step=pause")
    page.get_by_role("link", name="Timer: timer").click()
    page.locator("#fire-reason").fill("no need to wait")
    page.get_by_role("button", name="Preview").last.click()
    expect(page.get_by_role("status")).to_contain_text("TimerFired")
    expect(page.locator("#fire-reason")).to_have_value("no need to wait")
    page.get_by_role("button", name="Fire the timer").click()
    page.goto(f"{served.url}/executions/{id}")
    expect(page.locator(".head")).to_contain_text("Completed")


def test_two_open_pages_follow_each_other_and_keep_their_place(served: Served, windows: Watched) -> None:
    id = served.begin("busy")
    page, other = windows.open(f"/executions/{id}?step=ask"), windows.open(f"/executions/{id}/steps/long/reassign")
    expect(page.locator("aside")).to_contain_text("Waiting")
    page.locator("summary", has_text="Skip step").click()
    reason = page.locator("#step-skip-reason")
    reason.fill("half a sente")
    page.evaluate("window.scrollTo(0, 200)")
    top = page.evaluate("window.scrollY")
    assert top > 0
    other.get_by_label("Agent").fill("other")
    other.get_by_label("Reason").fill("swap")
    other.get_by_role("button", name="Reassign step").click()
    expect(other.get_by_role("status")).to_contain_text("another agent")
    expect(page.locator(".gantt li").first).to_contain_text("other")
    expect(reason).to_be_visible()
    expect(reason).to_have_value("half a sente")
    expect(reason).to_be_focused()
    assert page.evaluate("window.scrollY") == top


def test_a_hidden_tab_closes_its_stream_and_opens_it_again(served: Served, windows: Watched) -> None:
    page = windows.open("/executions")
    hide = "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
    hide += " document.dispatchEvent(new Event('visibilitychange')); }"
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/api/stream")):
        page.evaluate(hide, True)
    id = served.begin("failing")
    with page.expect_request("**/api/stream"):
        page.evaluate(hide, False)
    expect(page.locator(f"a[href^='/executions/{id}']").first).to_be_visible()


def test_hostile_texts_go_through_every_page_as_text(served: Served, windows: Watched) -> None:
    id = served.begin("asking", text=NASTY)
    page = windows.open("/executions")
    wait_for_approval(served, page, id)
    approval = f"{id}:ask:1"
    answer = served.client.post(f"/api/approvals/{approval}/request-changes", json={"comment": NASTY})
    assert answer.status_code == 200, answer.text
    cancelled = served.begin("pausing")
    served.client.post(f"/api/executions/{cancelled}/cancel", json={"reason": NASTY})
    paths = (
        "/",
        "/executions",
        f"/executions?process={HOSTILE[0]}",
        f"/executions/{id}?step=ask",
        f"/executions/{id}?step=write",
        f"/executions/{id}?as_of=999999",
        f"/executions/{cancelled}?step=pause",
        f"/executions/{id}/steps/send/skip",
        "/approvals",
        "/approvals?tab=decided",
        f"/approvals/{approval}",
        "/operations/timers",
        f"/operations/timers?process={HOSTILE[1]}",
        "/operations",
        "/keys",
    )
    for path in paths:
        page.goto(served.url + path)
        expect(page.locator("main")).to_be_visible()
        harmless(page, path)
    page.goto(f"{served.url}/approvals/{approval}")
    text = page.locator("main").inner_text()
    for each in HOSTILE:
        assert each in text, each
    windows.wrong = [text for text in windows.wrong if " 400 " not in text and " 404 " not in text]


FAILED_AND_EMPTY = ("/", "/executions?status=failed", "/approvals", "/approvals?tab=decided", "/keys", "/operations")


def test_forms_and_full_pages_are_accessible(served: Served, windows: Watched) -> None:
    id, failed, pausing = served.begin("asking"), served.begin("failing"), served.begin("pausing")
    page = windows.open("/")
    forms = (f"/executions/{id}/cancel", f"/executions/{failed}/retry", f"/executions/{id}/steps/send/reassign")
    timer = f"/operations/timers/{pausing}/pause/timer"
    for path in (*FAILED_AND_EMPTY, *forms, timer, f"/executions/{id}?step=ask", f"/executions/{failed}?step=try"):
        page.goto(served.url + path)
        check_everywhere(page, path)
    wait_for_approval(served, page, id)
    page.locator("summary", has_text="Skip step").click()
    check_everywhere(page, "an open form")
