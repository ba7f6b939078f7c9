"""Texts that somebody writes to break a page: scripts, markup, links, template syntax, marks of direction."""

from playwright.sync_api import Page

HOSTILE = (
    "<script>window.owned=1</script>",
    "<img src=x onerror='window.owned=1'>",
    '"><svg onload=window.owned=1>',
    "javascript:window.owned=1",
    "{{ 7 * 7 }} {% raw %} ${7*7}",
    "\u202eevil\u2066 \u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "\U0001f600\U0001f469\u200d\U0001f680 \u4f60\u597d",
    "</textarea></pre></main><a href='javascript:window.owned=1'>x</a>",
    "'; alert(1); //",
)
NASTY = " ".join(HOSTILE)
LINE = HOSTILE[1]
"""One that fits where a line does."""
_MARKUP = "main script, main img, main svg[onload], a[href^='javascript:'], [onerror], [onload]"


def harmless(page: Page, at: str) -> None:
    """Require that nothing of these texts became more than text. at: what a failure names."""
    assert page.evaluate("window.owned") is None, at
    assert page.locator(_MARKUP).count() == 0, at
