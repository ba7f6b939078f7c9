"""Pages in a real browser, with the real server and a real worker."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.accessibility import check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

WAITING = """
name: release
input: {text: {type: string, default: "Dear all"}}
steps:
  - {id: write, name: Write the notes, agent: writer, message: "{{ input.text }}"}
  - {id: ask, name: Sign-off, type: human_approval, title: Out?, description: "{{ input.text }}", depends_on: write}
  - {id: send, name: Send it, agent: writer, message: send, depends_on: ask}
"""
FAILING = """
name: broken
steps:
  - {id: try, name: Try it, agent: breaker, message: go}
"""
CALLING = """
name: calling
steps:
  - {id: call, name: Ask for a release, type: sub_process, process: release}
"""
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">{{ 1 }} \u202eevil \U0001f600"
)


@pytest.fixture(scope="module", autouse=True)
def _published(served: Served) -> None:
    served.publish(WAITING, writer={"script": "echo"})
    served.publish(FAILING, breaker={"script": "fail"})
    served.publish(CALLING)


def test_a_person_finds_an_execution_and_decides_its_approval(served: Served, windows: Watched) -> None:
    id = served.begin("release")
    page = windows.open("/executions")
    page.get_by_role("link", name="release").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("release")
    page.locator(".gantt").get_by_role("link", name="Sign-off").click()
    expect(page).to_have_url(re.compile("step=ask"))
    expect(page.locator("aside header").get_by_text("Waiting")).to_be_visible()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Approvals").click()
    page.locator(f"#list a[href^='/approvals/{id}']").click()
    page.get_by_label("Comment").fill("go ahead")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("recorded")
    expect(page.locator(".head")).to_contain_text("Approved")


def test_a_notice_stays_while_other_things_change(served: Served, windows: Watched) -> None:
    id = served.begin("release")
    page = windows.open(f"/approvals/{served.approval(id, 'ask')}?done=decided")
    before = page.locator("#live").get_attribute("title")
    served.begin("release")
    expect(page.locator("#live")).not_to_have_attribute("title", str(before))
    assert page.get_by_role("status").text_content() == "The decision is recorded."


def test_an_open_page_follows_what_happens_and_keeps_what_was_typed(served: Served, windows: Watched) -> None:
    id = served.begin("release")
    page = windows.open(f"/executions/{id}")
    expect(page.locator(".gantt li").nth(1)).to_contain_text("Waiting")
    summary = page.locator("summary", has_text="Cancel execution")
    summary.click()
    page.get_by_label("Reason").first.fill("half a sente")
    answer = served.client.post(f"/api/approvals/{id}:ask:1/request-changes", json={"comment": "no"})
    assert answer.status_code == 200, answer.text
    expect(page.locator(".head")).to_contain_text("Failed")
    other = served.begin("release")
    page.goto(f"{served.url}/executions/{other}")
    page.locator("summary", has_text="Cancel execution").click()
    reason = page.get_by_label("Reason").first
    reason.fill("half a sente")
    served.begin("release")
    badge = page.locator(".side .n")
    expect(badge).to_be_visible()
    expect(reason).to_be_visible()
    expect(reason).to_have_value("half a sente")
    expect(reason).to_be_focused()


def test_a_page_says_that_the_connection_is_lost_and_comes_back(served: Served, windows: Watched) -> None:
    id = served.begin("release")
    page = windows.open(f"/executions/{id}")
    expect(page.locator("#live")).to_contain_text("Live")
    served.kill("up")
    expect(page.locator("#live")).to_contain_text("Connection lost since")
    served.start()
    answer = served.client.post(f"/api/approvals/{id}:ask:1/approve", json={})
    assert answer.status_code == 200, answer.text
    expect(page.locator(".head")).to_contain_text("Completed")
    expect(page.locator("#live")).to_contain_text("Live")
    windows.wrong.clear()  # the browser reports the refused connections


def test_a_failure_is_found_and_retried(served: Served, windows: Watched) -> None:
    # Failures of one process stand in one row of the overview; this one is alone.
    served.publish(FAILING.replace("name: broken", "name: brittle"))
    id = served.begin("brittle")
    page = windows.open(f"/executions/{id}")
    expect(page.locator(".head")).to_contain_text("Failed")
    page.get_by_role("alert").get_by_role("link", name="Try it").click()
    expect(page.locator("aside")).to_contain_text("Error")
    page.locator(".head summary", has_text="Retry").click()
    page.get_by_label("Reason").first.fill("once more")
    page.locator(".head").get_by_role("button", name="Retry").click()
    expect(page.get_by_role("status")).to_contain_text("new attempt")
    page.goto(f"{served.url}/")
    expect(page.get_by_role("link", name=re.compile(f"brittle {id[-8:]} failed"))).to_be_visible()


def test_a_child_leads_to_its_parent_and_back(served: Served, windows: Watched) -> None:
    id = served.begin("calling")
    page = windows.open(f"/executions/{id}?step=call")
    page.locator("aside").get_by_role("link", name="release").click()
    expect(page.get_by_text("Called by")).to_be_visible()
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="calling").click()
    expect(page).to_have_url(re.compile(id))


def test_hostile_text_stays_text(served: Served, windows: Watched) -> None:
    id = served.begin("release", text=HOSTILE)
    served.client.get(f"/api/executions/{id}")
    page = windows.open(f"/executions/{id}?step=ask")
    expect(page.locator("aside")).to_contain_text("Waiting")
    approval = windows.open(f"/approvals/{served.approval(id, 'ask')}")
    expect(approval.locator(".prose")).to_contain_text("<script>")
    for each in (page, approval, windows.open("/"), windows.open("/executions")):
        assert "owned" not in each.title()
        assert each.locator("main script, main img").count() == 0


PAGES = ("/", "/executions", "/executions?status=cancelled&process=nothing", "/approvals", "/approvals?tab=decided")


def test_pages_are_accessible_and_fit_at_every_width(served: Served, windows: Watched) -> None:
    failed, waiting = served.begin("broken"), served.begin("calling")
    page = windows.open("/")
    for path in (*PAGES, f"/executions/{failed}?step=try", f"/executions/{waiting}?step=call", "/executions/nothing"):
        page.goto(served.url + path)
        check_everywhere(page, path)
    windows.wrong = [text for text in windows.wrong if "404" not in text]  # the page that is not there
