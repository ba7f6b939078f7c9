"""A server in a process of its own, and a browser: pages as people use them."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright
from starlette.testclient import TestClient

from store.datastore import Datastore
from tests.api.conftest import Installation, installed
from tests.database import cloned
from tests.processes import Processes
from tests.waiting import until
from web.app import PagesBeside, create_pages

# The headless shell is the same browser without windows, which takes a third of the time.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
# Nothing spares a process for a page to come.
FLAGS = ["--no-sandbox", "--renderer-process-limit=1"]
LIMIT_MS = 120_000


class Served(Processes):
    """`procession up` on a database of its own. url: its address."""

    url: str

    def start(self) -> None:
        """Start the server, again at the same address after a kill, and return once it is ready."""
        self.url = self.serve("up", "up")

    def publish(self, source: str, **agents: dict[str, Any]) -> dict[str, Any]:
        """Register scripted agents, and publish a process; return the receipt once the read models show it."""
        receipt = super().publish(source, **agents)
        self.get(f"/api/processes/{receipt['process_id']}", min_position=receipt["position"]).raise_for_status()
        return receipt

    def begin(self, process: str, **input: Any) -> str:
        """Start an execution; return its id once the read models show it."""
        begun = self.post(f"/api/processes/{process}/executions", {"input": input})
        self.get(f"/api/executions/{begun['execution_id']}", min_position=begun["position"]).raise_for_status()
        return str(begun["execution_id"])

    def approval(self, execution: str, step: str) -> str:
        """Return the id of the step's first approval once the read models show it."""
        id = f"{execution}:{step}:1"
        until(lambda: self.client.get(f"/api/approvals/{id}").status_code == 200)
        return id


@pytest.fixture(scope="module")
def served(
    request: pytest.FixtureRequest, server: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Yield a running server for the tests of one module, with its `SETTINGS` if it has some."""
    settings = {"PROCESSION_DRAIN": "1s"} | getattr(request.module, "SETTINGS", {})
    with cloned(server, template) as dsn, Served(tmp_path_factory.mktemp("served"), dsn, **settings) as made:
        made.start()
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a browser. Where none is installed the test is skipped, but never in CI."""
    if CHROMIUM is None:
        assert not os.environ.get("BROWSER_REQUIRED"), "CI needs chromium"
        pytest.skip("chromium is not installed: apt install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


class Watched:
    """Pages of one test; each error on the console and each request to another host is noted."""

    def __init__(self, browser: Browser, served: Served) -> None:
        self._browser = browser
        self._served = served
        self._contexts: list[Any] = []
        self.wrong: list[str] = []

    def open(self, path: str, *, framed: bool = True, refused: bool = False, **settings: Any) -> Page:
        """Open a page in a browser window of its own. framed: False: a page that shows no times, as of the sign-in.

        refused: what the server refuses is noted on the console.
        """
        defaults = {"timezone_id": "Europe/Berlin", "reduced_motion": "reduce"}
        context = self._browser.new_context(**defaults | settings)
        context.set_default_timeout(LIMIT_MS)
        self._contexts.append(context)
        page = context.new_page()
        if not refused:
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
        return self.open(path, refused=True, java_script_enabled=False)

    def close(self) -> None:
        """Close every window."""
        for context in self._contexts:
            context.close()

    def _check(self, url: str) -> None:
        if not url.startswith(self._served.url):
            self.wrong.append(f"a request to {url}")


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
