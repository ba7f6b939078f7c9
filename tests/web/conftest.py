"""A server in a process of its own, and a browser: pages as people use them."""

import json
import os
import shutil
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright
from starlette.testclient import TestClient

from store.datastore import Datastore
from tests.api.conftest import Installation, installed
from tests.database import cloned
from tests.waiting import until
from tests.web.forking import forking
from web.app import PagesBeside, create_pages

# The headless shell is the same browser without windows, which takes a third of the time.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
# Nothing spares a process for a page to come.
FLAGS = ["--no-sandbox", "--renderer-process-limit=1"]
LIMIT_MS = 120_000


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

    def approval(self, execution: str, step: str) -> str:
        """Return the id of the step's first approval once the read models show it."""
        id = f"{execution}:{step}:1"
        until(lambda: self.client.get(f"/api/approvals/{id}").status_code == 200)
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

    def open(self, path: str, *, framed: bool = True, **settings: Any) -> Page:
        """Open a page in a browser window of its own. framed: False: a page that shows no times, as of the sign-in."""
        defaults = {"timezone_id": "Europe/Berlin", "reduced_motion": "reduce"}
        context = self._browser.new_context(**defaults | settings)
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
