"""The documentation of the API in a real browser: under its policy, without other hosts."""

from playwright.sync_api import Browser, Page, expect

from tests.web.conftest import LIMIT_MS, Served

expect.set_options(timeout=LIMIT_MS)


def watched(browser: Browser, served: Served) -> tuple[Page, list[str]]:
    """A page, and everything that goes wrong on it."""
    page, wrong = browser.new_page(), []
    page.set_default_timeout(LIMIT_MS)
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: request.url.startswith((served.url, "data:")) or wrong.append(request.url))
    return page, wrong


def test_the_documentation_keeps_to_the_policy(served: Served, browser: Browser) -> None:
    page, wrong = watched(browser, served)
    answer = page.goto(f"{served.url}/docs")
    assert answer is not None
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    expect(page.locator(".opblock").first).to_be_visible()
    assert page.locator("script:not([src])").count() == 0
    page.locator(".opblock-summary-control").first.click()
    expect(page.locator(".opblock-body").first).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.close()
    assert wrong == []
