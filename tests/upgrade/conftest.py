"""Two releases side by side: the tree of the release before, and processes of either on one database."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, LiteralString

import httpx2
import psycopg
import pytest

from tests.database import cloned
from tests.ports import free_port

BEFORE = "f98a8c9"
"""The last commit of the release before: its `append_events` has 36 parameters, and moves every list.

It builds no read tables beside those in use.
"""

HERE = Path(__file__).parents[2]
PROGRAM = "from app.cli import main; main()"
DEADLINE_SECONDS = 100.0


@pytest.fixture(scope="session")
def release_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of the release before, taken from the history."""
    tree = tmp_path_factory.mktemp("release")
    archive = subprocess.run(["git", "archive", BEFORE], cwd=HERE, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"the history does not hold {BEFORE}, the release before: {archive.stderr.decode().strip()}")
    subprocess.run(["tar", "-x", "-C", str(tree)], input=archive.stdout, check=True)
    return tree


class Releases:
    """Processes of both releases on one database. `database` is its conninfo."""

    def __init__(self, before: Path, database: str, directory: Path) -> None:
        self.before, self.database, self._directory = before, database, directory
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._client = httpx2.Client(timeout=30)
        self._commands = 0

    def run(self, tree: Path, *arguments: str) -> None:
        """Run a command of one release to its end."""
        done = subprocess.run(self._command(arguments), **self._surroundings(tree), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()

    def launch(self, name: str, tree: Path, *arguments: str) -> int:
        """Begin a command of one release as the process called `name`; its process id."""
        with (self._directory / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                self._command(arguments), **self._surroundings(tree), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self._running[name].pid

    def launch_api(self, name: str, tree: Path, command: str = "serve") -> str:
        """Begin an API, or with `up` all of a process; its address, once it answers."""
        port = free_port()
        self.launch(name, tree, command, "--port", str(port))
        url = f"http://127.0.0.1:{port}"
        self.until(lambda: self._answers(url), name)
        return url

    def launch_worker(self, name: str, tree: Path) -> str:
        """Begin a worker, without a projector; the actor of what it records, once it lives."""
        pid = self.launch(name, tree, "work", "--no-projector")
        query: LiteralString = "select worker_id::text from workers where pid = %s"
        self.until(lambda: self.rows(query, pid), name)
        return f"worker:{self.rows(query, pid)[0][0]}"

    def end(self, name: str) -> None:
        """Drain the process called `name`; it must end in order."""
        process = self._running.pop(name)
        process.terminate()
        assert process.wait(DEADLINE_SECONDS) == 0, self.log(name)

    def get(self, url: str, path: str) -> httpx2.Response:
        """GET an answer, whatever its status."""
        return self._client.get(url + path)

    def put(self, url: str, path: str, body: dict[str, Any]) -> None:
        """PUT `body`."""
        self._client.put(url + path, json=body).raise_for_status()

    def post(self, url: str, path: str, body: dict[str, Any], actor: str = "test") -> dict[str, Any]:
        """POST `body` as a command of its own; the answer."""
        self._commands += 1
        headers = {"Idempotency-Key": f"command-{self._commands}", "X-Actor": actor}
        answer = self._client.post(url + path, json=body, headers=headers)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def rows(self, query: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(query, parameters or None).fetchall()

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait on a fact, with a deadline; every process has to live meanwhile."""
        deadline, pause = time.monotonic() + DEADLINE_SECONDS, threading.Event()
        while not condition():
            for name, process in self._running.items():
                assert process.poll() is None, f"{name} ended: {self.log(name)}"
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            pause.wait(0.05)

    def log(self, name: str) -> str:
        """What the process called `name` has logged."""
        return (self._directory / f"{name}.log").read_text()

    def stop(self) -> None:
        """Drain every process; kill those that do not end."""
        self._client.close()
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def _answers(self, url: str) -> bool:
        try:
            return self._client.get(f"{url}/health/live").is_success
        except httpx2.TransportError:
            return False

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-c", PROGRAM, *arguments]

    def _surroundings(self, tree: Path) -> dict[str, Any]:
        settings = {
            "PYTHONPATH": str(tree),
            "DATABASE_URL": self.database,
            "PROCESSION_HOME": str(self._directory / "home"),
            "PROCESSION_LEASE": "PT2S",
            "PROCESSION_POOL_SIZE": "4",
        }
        return {"cwd": tree, "env": {**os.environ, **settings}}


@pytest.fixture
def releases(server: str, release_before: Path, tmp_path: Path) -> Iterator[Releases]:
    """An empty database, and nothing running on it."""
    with cloned(server) as database:
        made = Releases(release_before, database, tmp_path)
        try:
            yield made
        finally:
            made.stop()
