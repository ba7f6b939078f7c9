"""A server in a process of its own, and a browser: pages as people use them."""

import json
import os
import shutil
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright
from starlette.testclient import TestClient

from store.datastore import Datastore
from tests.api.conftest import Installation, installed
from tests.database import cloned
from tests.web.forking import forking
from web.app import PagesBeside, create_pages

CHROMIUM = shutil.which("chromium")
LIMIT_MS = 120_000
WIDTHS = (1440, 390, 1024)
# The rules of axe that read colours take most of its time. The themes differ in nothing else, and no width changes
# colours (test_pages.py).
OF_COLOURS = ["color-contrast", "link-in-text-block"]
# Whether the page shows a text that it did not show at any width before.
SHOWS_MORE = """() => {
  const before = window.shown ?? new Set();
  const now = [...document.body.querySelectorAll("*")].filter(each => each.checkVisibility()
    && [...each.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim()));
  window.shown = new Set([...before, ...now]);
  return now.some(each => !before.has(each));
}"""
# context: a selector, by default the whole page.
VIOLATIONS = """async ([options, context]) => {
  const found = await axe.run(document.querySelector(context) ?? document, { resultTypes: ["violations"], ...options });
  return found.violations.map(each => [each.id, each.nodes.map(node => node.html.slice(0, 200))]);
}"""
WIDER_THAN_ITS_WINDOW = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


class Served:
    """`procession up` on a database of its own; it can be killed and started again at the same address."""

    def __init__(self, dsn: str, **settings: str) -> None:
        self.dsn = dsn
        self._settings = settings
        self._port = "0"
        self.url = ""
        self.start()

    def start(self) -> None:
        """Start the server, and return once it is ready."""
        limits = {"PROCESSION_DRAIN": "1s", "PROCESSION_LEASE": "2s"}
        environment = {**os.environ, "DATABASE_URL": self.dsn, **limits, **self._settings}
        self._process, self._output = forking().start(["up", "--json", "--port", self._port], environment)
        said = b""
        while line := self._output.readline():
            said += line
            if line.startswith(b"}"):
                break
        self.url = json.loads(said)["url"]
        self._port = self.url.rpartition(":")[2]
        self.client = httpx2.Client(base_url=self.url, timeout=120)

    def kill(self) -> None:
        """Kill the server: it cannot tidy up."""
        self.client.close()
        self._process.kill()
        self._process.wait(60)
        self._output.close()

    def stop(self) -> None:
        """Stop the server, and wait for its end."""
        self.client.close()
        self._process.terminate()
        self._process.wait(120)
        self._output.close()

    def publish(self, source: str, **agents: dict[str, Any]) -> None:
        """Register scripted agents, and publish a process."""
        for name, config in agents.items():
            answer = self.client.put(f"/api/agents/{name}", json={"kind": "scripted", **config})
            assert answer.status_code == 200, answer.text
        drafted = self.client.post("/api/processes", content=source, headers={"Content-Type": "application/yaml"})
        assert drafted.status_code == 201, drafted.text
        published = self.client.post(f"/api/processes/{drafted.json()['process_id']}/publish", json={})
        assert published.status_code == 200, published.text

    def begin(self, process: str, **input: Any) -> str:
        """Start an execution; return its id once the read models show it."""
        answer = self.client.post(f"/api/processes/{process}/executions", json={"input": input})
        assert answer.status_code == 202, answer.text
        id: str = answer.json()["execution_id"]
        shown = self.client.get(f"/api/executions/{id}", params={"min_position": answer.json()["position"]})
        assert shown.status_code == 200, shown.text
        return id


@pytest.fixture(scope="module")
def served(server: str, template: str) -> Iterator[Served]:
    """Yield a running server for the tests of one module."""
    with cloned(server, template) as dsn:
        made = Served(dsn)
        yield made
        made.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a browser. Where none is installed the test is skipped, but never in CI."""
    if CHROMIUM is None:
        assert not os.environ.get("BROWSER_REQUIRED"), "CI needs chromium"
        pytest.skip("chromium is not installed: apt install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


class Watched:
    """Pages of one test; each error on the console and each request to another host is noted."""

    def __init__(self, browser: Browser, served: Served) -> None:
        self._browser = browser
        self._served = served
        self._contexts: list[Any] = []
        self.wrong: list[str] = []

    def open(self, path: str, *, framed: bool = True, **settings: Any) -> Page:
        """Open a page in a browser window of its own. framed: False: a page that shows no times, as of the sign-in."""
        context = self._browser.new_context(**{"timezone_id": "Europe/Berlin"} | settings)
        context.set_default_timeout(LIMIT_MS)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self._check(request.url))
        page.goto(self._served.url + path)
        if framed and settings.get("java_script_enabled", True):
            try:
                page.wait_for_selector("html[data-zone='Europe/Berlin']")
            except TimeoutError as error:
                raise AssertionError(f"{page.url} is not in the reader's zone: {page.content()[:500]}") from error
        return page

    def plain(self, path: str) -> Page:
        """Open a page in a browser that runs no scripts."""
        context = self._browser.new_context(java_script_enabled=False)
        context.set_default_timeout(LIMIT_MS)
        self._contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: self._check(request.url))
        page.goto(self._served.url + path)
        return page

    def close(self) -> None:
        """Close every window."""
        for context in self._contexts:
            context.close()

    def _check(self, url: str) -> None:
        if not url.startswith(self._served.url):
            self.wrong.append(f"a request to {url}")


def check(page: Page, at: str, options: dict[str, Any] | None = None, within: str = "html") -> None:
    """Require that the page, as it stands, is accessible and fits its window. at: what a failure names."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    assert page.evaluate(VIOLATIONS, [options, within]) == [], at
    assert not page.evaluate(WIDER_THAN_ITS_WINDOW), at


def check_everywhere(page: Page, at: str) -> None:
    """Require the same at every width, and of colours in both themes; leave the window as it was."""
    before = page.viewport_size
    assert before is not None
    page.evaluate("window.shown = undefined")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        if page.evaluate(SHOWS_MORE) or width != WIDTHS[-1]:
            check(page, f"{at} at {width}")
            within = "html"
        else:
            check(page, f"{at} at {width}", {"rules": {rule: {"enabled": False} for rule in OF_COLOURS}})
            within = ".side"  # its counts lie on its icons here
            check(page, f"{at} at {width}", {"runOnly": OF_COLOURS}, within)
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        check(page, f"{at} at {width}, dark", {"runOnly": OF_COLOURS}, within)
    page.emulate_media(color_scheme="null", reduced_motion="null")
    page.set_viewport_size(before)


@pytest.fixture
def windows(browser: Browser, served: Served) -> Iterator[Watched]:
    """Yield windows whose pages report nothing wrong until the end of the test."""
    made = Watched(browser, served)
    yield made
    made.close()
    assert made.wrong == []


@pytest.fixture
def installation(read_tables: Datastore) -> Iterator[Installation]:
    """Yield the wiring behind pages without a browser."""
    with installed(read_tables) as made:
        yield made


@pytest.fixture
def client(installation: Installation) -> Iterator[TestClient]:
    """Yield a client of the pages and the API beside them; it follows no redirects."""
    app = installation.app
    with TestClient(PagesBeside(app, create_pages(app.state.door, app.openapi)), follow_redirects=False) as opened:
        yield opened
