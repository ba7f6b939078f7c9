"""A person without a mouse: Tab, Enter and what is typed; and the forms that such a person sends."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, Request, expect
from starlette.routing import Route

from web import sign_in
from web.app import GUARDED

MOST_TABS = 250
# The least number of Tabs from the focus to a control, 0 at the control: one for each link, button and summary between
# them, which none skips, and one for the control itself. Other controls may take none, as those of a group, or several.
LEAST_TABS = """(target) => {
  const at = document.activeElement;
  if (target === at) return 0;
  const after = (one, other) => one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING;
  const stops = [...document.querySelectorAll("a[href], button, summary")].filter((each) =>
    !each.disabled && each.tabIndex === 0 && after(at, each) && after(each, target)
    && !each.closest("dialog, .cm-editor, [hidden]") && each.checkVisibility({ visibilityProperty: true }));
  return at === document.body ? 1 : 1 + stops.length;
}"""
# Sent by scripts while somebody writes, not by a person.
BY_SCRIPTS = ("/check", "/drawing")
ELSEWHERE = (
    "/operations/read-models/{name}/withdraw",  # over before a person could; its form is one of the page's
    "/processes/{process}/roles",  # tests/web/test_roles_browser.py
    *(f"/agents/{{name}}/webhooks{end}" for end in ("", "/{webhook_id}/remove", "/{webhook_id}/retry")),
    # the line above: tests/web/test_webhooks_browser.py
    *(f"/templates/{{template_id}}/{end}" for end in ("use", "preview", "share", "withdraw")),
    "/processes/{process}/template",
    *(f"/processes/{{process}}/template-update{end}" for end in ("", "/mark")),
    # the lines above: tests/web/test_templates_browser.py
)


class Keys:
    """A person without a mouse, on one page. sent: the paths of the forms that were sent."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self._url = page, url
        self.sent: set[str] = set()
        page.on("request", self._note)

    def open(self, path: str) -> None:
        """Open a page, and skip to its content, where no field of it has the focus already."""
        self.page.goto(self._url + path)
        if self.page.evaluate("document.activeElement === document.body"):
            self.page.keyboard.press("Tab")
            self.page.keyboard.press("Enter")

    def reach(self, target: Locator) -> None:
        """Press Tab until the control has the focus."""
        pressed = 0
        while pressed <= MOST_TABS:
            left = target.evaluate(LEAST_TABS)
            if left == 0:
                return
            for _ in range(left):
                self.page.keyboard.press("Tab")
            pressed += left
        raise AssertionError(f"Tab does not reach {target}")

    def press(self, name: str, *, of: str = "main", exact: bool = True) -> None:
        """Reach a button, a link or what unfolds, by its name, and press Enter."""
        named = self.page.locator(of).locator("button:visible, a:visible, summary:visible")
        words = re.compile(f"^\\s*{re.escape(name)}\\s*$") if exact else re.compile(re.escape(name))
        self.reach(named.filter(has_text=words).first)
        self.page.keyboard.press("Enter")

    def write(self, selector: str, text: str) -> None:
        """Reach a field, and type."""
        self.reach(self.page.locator(selector).first)
        self.page.keyboard.type(text)

    def told(self, words: str) -> None:
        """Require that the page says what was done."""
        expect(self.page.get_by_role("status").filter(has_text=words).first).to_be_visible()

    def _note(self, request: Request) -> None:
        if request.method == "POST":
            self.sent.add(urlsplit(request.url).path)


def routes() -> list[str]:
    """The paths of all forms."""
    found = [
        each.path
        for page in (*GUARDED, sign_in)
        for each in page.router.routes
        if isinstance(each, Route) and "POST" in (each.methods or ())
    ]
    return [path for path in found if path not in ELSEWHERE and not path.endswith(BY_SCRIPTS)]
