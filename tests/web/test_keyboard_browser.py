"""Every page without a mouse: Tab reaches each control in the order of the page, and single keys lead through it."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.accessibility import check_everywhere
from tests.web.conftest import LIMIT_MS, Served, Watched

expect.set_options(timeout=LIMIT_MS)

SOURCE = """
name: release
input: {text: {type: string, default: "Dear all"}}
steps:
  - {id: write, agent: writer, message: "{{ input.text }}"}
  - {id: ask, type: human_approval, title: Out?, depends_on: write}
  - {id: rest, type: timer, duration: 1d}
triggers: [{type: schedule, id: nightly, cron: "0 3 * * *"}]
limits: {}
"""
FAILING = "name: broken\nsteps: [{id: try, agent: breaker, message: go}]\n"
PAGES = (
    "/",
    "/executions",
    "/executions/{id}?step=ask",
    "/executions/{id}/cancel",
    "/executions/{id}/steps/ask/skip",
    "/executions/{id}/compare",
    "/executions/{id}/tree",
    "/executions/{failed}?step=try",
    "/approvals",
    "/approvals/{id}:ask:1",
    "/schedules",
    "/schedules/preview",
    "/alerts",
    "/alerts/what-if",
    "/processes",
    "/processes/release",
    "/processes/release/definition",
    "/processes/release/triggers",
    "/processes/release/start",
    "/processes/release/publish",
    "/processes/release/roles?of=draft",
    "/processes/release/template",
    "/processes/release/archive",
    "/processes/release/versions",
    "/processes/release/edit",
    "/templates",
    "/templates/bundled:content-review",
    "/templates/bundled:content-review/use",
    "/agents",
    "/agents/writer",
    "/agents/writer/inbox",
    "/agents/writer/webhooks",
    "/agents/writer/retire",
    "/agents/-/register?kind=scripted",
    "/costs",
    "/analytics",
    "/processes/release/analytics",
    "/processes/release/costs",
    "/keys",
    "/settings",
    "/search?q=e",
    "/operations",
    "/operations/timers",
    "/operations/timers/{id}/rest/timer",
    "/operations/batches",
    "/operations/batches/new?status=failed",
    "/operations/set-aside",
    "/operations/dead-letters",
    "/operations/read-models/approvals",
    "/operations/read-models/approvals?act=rebuild",
    "/operations/workers",
    "/operations/sizes",
    "/operations/settings",
    "/docs",
)
# All pages in one test would take more than half of the time that a test may take where the machine is slow.
PARTS = 4
# Every control that a mouse could use, in the order of the document, and the focus before the first of them.
CONTROLS = """(within) => {
  const all = document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex='0'], [contenteditable=true]"
  );
  const start = document.querySelector(within);
  window.controls = [...all].filter((each) =>
    each.checkVisibility({ visibilityProperty: true }) && !each.disabled && each.type !== "hidden"
    && start.contains(each) && !each.closest("dialog") && each.tabIndex >= 0);
  start.tabIndex = -1;
  start.focus();
  return window.controls.length;
}"""
FOCUSED = """async (within) => {
  const at = document.activeElement;
  if (at === document.body || !document.querySelector(within).contains(at)) return null;
  const editor = at.closest(".cm-editor");
  // The editor shows its focus some frames later, and may have drawn its diagram anew.
  for (let frame = 0; editor && frame < 600 && !editor.matches(".cm-focused"); frame += 1) {
    await new Promise(requestAnimationFrame);
  }
  const href = at.getAttribute("href");
  const again = (each) => href !== null && !each.isConnected && each.getAttribute("href") === href;
  const style = getComputedStyle(editor ?? at);
  const place = at.getBoundingClientRect();
  return {
    index: Math.max(window.controls.indexOf(at), window.controls.findIndex(again)),
    shown: parseFloat(style.outlineWidth) >= 1 && style.outlineStyle !== "none",
    seen: place.bottom > 0 && place.top < innerHeight,
    what: at.outerHTML.slice(0, 160),
    editor: editor !== null,
  };
}"""


def walk(page: Page, at: str, within: str) -> None:
    """Press Tab through a part of the page: each control once, in its order, with a visible focus."""
    count = page.evaluate(CONTROLS, within)
    order: list[int] = []
    for _ in range(2 * count + 20):  # a field for a day takes four
        page.keyboard.press("Tab")
        found: dict[str, Any] | None = page.evaluate(FOCUSED, within)
        if found is None:
            break
        assert found["shown"], f"{at}: no visible focus: {found['what']}"
        assert found["seen"], f"{at}: the focus is out of sight: {found['what']}"
        assert found["index"] >= 0, f"{at}: {found['what']}"
        if found["index"] not in order:
            order.append(found["index"])
        if found["editor"]:
            page.keyboard.press("Escape")
    missed = [page.evaluate(f"controls[{n}].outerHTML.slice(0, 160)") for n in range(count) if n not in order]
    assert missed == [], f"{at}: {missed}"
    assert order == sorted(order), f"{at}: {order}"


@pytest.fixture(scope="module", autouse=True)
def _published(served: Served) -> None:
    served.publish(SOURCE.replace("limits: {}\n", ""), writer={"script": "echo"})
    served.publish(FAILING, breaker={"script": "fail"})


@pytest.mark.parametrize("part", range(PARTS))
def test_tab_reaches_every_control_of_every_page_in_its_order(served: Served, windows: Watched, part: int) -> None:
    values = {"id": served.begin("release"), "failed": served.begin("broken")}
    served.approval(values["id"], "ask")
    page = windows.open(f"/executions/{values['failed']}")
    expect(page.locator(".head")).to_contain_text("Failed")
    for path in PAGES[part::PARTS]:
        answer = page.goto(served.url + path.format(**values))
        assert answer is not None
        assert answer.status == 200, path
        if path.endswith("/edit"):
            expect(page.locator("#problems")).to_contain_text("No problems")
            expect(page.locator("a[href='#step-rest']")).to_have_count(1)
        # What is folded up is walked as well.
        page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true; })")
        walk(page, path, "body" if path == "/" else "#main")


def test_single_keys_lead_through_the_pages_until_they_are_switched_off(served: Served, windows: Watched) -> None:
    id = served.begin("release")
    page = windows.open("/executions")
    rows = page.get_by_role("rowheader").get_by_role("link")
    expect(rows.first).to_have_attribute("href", f"/executions/{id}")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    check_everywhere(page, "the dialog of keys")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.keyboard.press("j")
    expect(rows.first).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(rows.first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/executions/{id}*")
    page.keyboard.press("[")
    page.wait_for_url("**as_of=*")
    for key, path in (("a", "/approvals"), ("s", "/schedules"), ("p", "/processes"), ("c", "/alerts"), ("o", "/")):
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(served.url + path)
    page.keyboard.press("/")
    page.keyboard.type(id[-8:])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/executions/{id}*")
    summary = page.locator("summary", has_text="Cancel execution")
    summary.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("g a ? / are text here")
    expect(page.locator("#cancel-reason")).to_have_value("g a ? / are text here")
    page.keyboard.press("Escape")
    expect(summary).to_be_focused()
    expect(page.locator("#cancel-reason")).to_be_hidden()
    page.goto(f"{served.url}/settings")
    check_everywhere(page, "/settings")
    page.get_by_label("Keys without a modifier").press("Space")
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    theme = page.get_by_role("combobox", name="Theme")
    theme.select_option("dark")
    theme.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("saved")
    expect(page.locator("html[data-theme=dark][data-zone='Asia/Tokyo'][data-keys=off]")).to_have_count(1)
    for key in ("g", "e", "?", "/"):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#search")).not_to_be_focused()
    page.reload()
    expect(page.locator("html[data-zone='Asia/Tokyo']")).to_have_count(1)


def test_a_key_right_after_a_dialog_closes_counts(served: Served, windows: Watched) -> None:
    served.begin("release")
    page = windows.open("/executions")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    press = """(dialog) => {
      dialog.close();
      const at = document.activeElement;
      at.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true }));
      return dialog.contains(at);
    }"""
    assert dialog.evaluate(press)
    expect(page.get_by_role("rowheader").get_by_role("link").first).to_be_focused()


def test_settings_are_set_without_javascript(windows: Watched) -> None:
    page = windows.plain("/settings")
    page.get_by_label("Time zone").fill("Mars/Olympus")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("there is no time zone")
    page.get_by_label("Time zone").fill("America/New_York")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html[data-zone='America/New_York'] .foot")).to_contain_text("Times in America/New_York")
