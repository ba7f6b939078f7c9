"""The contrast of texts whose styles were seen before is not computed again, and none that is too low is missed."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from tests.web.contrast import CONTRAST, TEXTS, check_contrast

PAGE = """<!doctype html><html lang="en"><title>A page</title><style>
  body { margin: 0; background: white; color: #555; font: 14px sans-serif; color-scheme: light dark }
  .dark { background: #333 } .at { position: absolute; top: 40px; left: 0 } .box { width: 300px; height: 60px }
  .pale { background: light-dark(white, #444) } .faint { opacity: 0.4 }
  .over { margin-top: -50px } .out { position: absolute; left: 400px; top: 0 }
  .large { font-size: 30px; color: #888 } .small { font-size: 10px }
</style><main><p>A text with enough contrast</p><p class="large">Large</p><p class="pale">Pale</p>%s</main>"""
LOW = (
    '<p style="color: #aaa">Too pale</p>',
    '<p style="color: #aaa">x</p><p style="color: #aaa">Too pale, after one letter</p>',
    '<p class="dark">On a dark ground</p>',
    '<div class="dark"><div><p>Deep in a dark ground</p></div></div>',
    '<p class="faint">Faint</p>',
    '<div class="faint"><p>In a faint part</p></div>',
    '<div class="dark box at"></div><p class="at">Over what is not above it</p>',
    '<div class="dark box"></div><p class="over" style="position: relative">Over what is before it</p>',
    '<div class="dark" style="position: relative; color: white">Light<p class="out" style="color: #ddd">Out</p></div>',
    '<p class="large small">Grey enough if it were large</p>',
    '<label>Text <input style="color: #aaa; background: white" value="Typed"></label>',
)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Yield a page on which texts with enough contrast were seen, in the light theme."""
    context = browser.new_context(color_scheme="light")
    opened = context.new_page()
    show(opened, "")
    check_contrast(opened, "before")
    yield opened
    context.close()


def show(page: Page, more: str) -> None:
    page.set_content(PAGE % more)
    page.evaluate(AXE_SCRIPT)


def test_a_page_of_styles_seen_before_is_not_computed_again(page: Page) -> None:
    show(page, "<p>Another text with enough contrast</p>")
    page.evaluate("() => { axe.run = () => { throw new Error('computed again'); }; }")
    check_contrast(page, "again")


@pytest.mark.parametrize("low", LOW)
def test_no_text_with_too_little_contrast_is_missed(page: Page, low: str) -> None:
    show(page, low)
    whole = page.evaluate("axe.run({ runOnly: ['color-contrast'] }).then(found => found.violations.length)")
    assert whole == 1
    for _ in range(2):  # what is too low is never taken for seen
        with pytest.raises(AssertionError, match="here"):
            check_contrast(page, "here")


def test_the_same_text_is_computed_in_each_theme(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    with pytest.raises(AssertionError, match="dark"):
        check_contrast(page, "dark")


def test_what_axe_cannot_compute_is_never_taken_for_seen(page: Page) -> None:
    show(page, '<p style="background: linear-gradient(#333, #fff)">On a gradient</p>')
    keys = page.evaluate(TEXTS)
    assert page.evaluate(CONTRAST, keys) == {"low": [], "high": [key for key in keys if "gradient" not in key]}
