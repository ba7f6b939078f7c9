"""Pages held against axe's rules at several widths and in both themes."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.web.contrast import check_contrast

WIDTHS = (1440, 390, 1024)
# The themes differ in colours only (test_pages.py); these two rules of axe read them.
CONTRAST, OF_LINKS = "color-contrast", "link-in-text-block"
WITHOUT_CONTRAST = {"rules": {CONTRAST: {"enabled": False}}}
VIOLATIONS = """async (options) => {
  const found = await axe.run(document, { resultTypes: ["violations"], selectors: false, ...options });
  return found.violations.map(each => [each.id, each.nodes.map(node => node.html.slice(0, 200))]);
}"""
WIDER_THAN_ITS_WINDOW = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def check(page: Page, at: str, options: dict[str, Any] | None = None) -> None:
    """Require that the page, as it stands, is accessible and fits its window. at: what a failure names."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    assert page.evaluate(VIOLATIONS, WITHOUT_CONTRAST if options is None else options) == [], at
    check_contrast(page, at)
    assert not page.evaluate(WIDER_THAN_ITS_WINDOW), at


def check_everywhere(page: Page, at: str) -> None:
    """Require the same at every width, and of colours in both themes; leave the window as it was."""
    before = page.viewport_size
    assert before is not None
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        check(page, f"{at} at {width}")
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        check(page, f"{at} at {width}, dark", {"runOnly": [OF_LINKS]})
    page.emulate_media(color_scheme="null", reduced_motion="reduce")
    page.set_viewport_size(before)
