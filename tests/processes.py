"""The processes of an installation, each of which can be killed and started again by its name."""

import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx2
import psycopg

from tests.forking import Forked, fork
from tests.waiting import patiently, until

ADDRESS = re.compile(r" at (http://[^,\s]+),")


class Processes:
    """Processes on one database. directory: of what they write. settings: further environment variables.

    client: of the API that `serve` started first. prepare: what processes call before they begin.
    """

    def __init__(self, directory: Path, dsn: str, **settings: str) -> None:
        self.directory, self.dsn = directory, dsn
        self.settings = {"PROCESSION_LEASE": "2s", "PROCESSION_RECORDS": str(directory)} | settings
        self.prepare: Callable[[], object] | None = None
        self.client = httpx2.Client(timeout=120)
        self._running: dict[str, Forked] = {}
        self._commands: dict[str, tuple[str, ...]] = {}
        self._changing = threading.Lock()

    def run(self, *arguments: str) -> int:
        """Run a `procession` command to its end; return its exit code."""
        process = self._begin("commands", arguments)
        try:
            return process.wait(300)
        finally:
            process.kill()

    def launch(self, name: str, *arguments: str) -> None:
        """Run a `procession` command as the process called `name`."""
        self._commands[name] = arguments
        self.restart(name)

    def serve(self, name: str = "api", command: str = "serve") -> str:
        """Start an API, also again, as the process called `name`; return its lasting address once it is ready."""
        self.launch(name, *self._commands.get(name, (command, "--port", "0")))
        until(lambda: self.lives(name) and ADDRESS.search(self.words(name)))
        url: str = ADDRESS.findall(self.words(name))[0]
        self._commands[name] = (command, "--port", url.rpartition(":")[2])
        if not self.client.base_url.host:
            self.client.base_url = url
        patiently(lambda: self._ready(name, url), httpx2.HTTPError)
        return url

    def _ready(self, name: str, url: str) -> None:
        assert self.lives(name)
        self.client.get(f"{url}/health/ready").raise_for_status()

    def restart(self, name: str) -> None:
        """Start the process called `name` again."""
        with self._changing:
            self._running[name] = self._begin(name, self._commands[name])

    def _begin(self, name: str, arguments: tuple[str, ...]) -> Forked:
        environment = {**os.environ, "DATABASE_URL": self.dsn, **self.settings}
        return fork(arguments, environment, self.directory / f"{name}.log", self.prepare)

    def words(self, name: str = "commands") -> str:
        """Return what the process called `name` has written, or what commands that were run have."""
        return (self.directory / f"{name}.log").read_text()

    def lives(self, name: str) -> bool:
        """Require that the process called `name` has not ended."""
        assert self._running[name].poll() is None, self.words(name)[-2000:]
        return True

    def pid(self, name: str) -> int:
        """Return the process id of the process called `name`."""
        return self._running[name].pid

    def kill(self, name: str) -> None:
        """SIGKILL the process called `name`, which has no chance to tidy up."""
        with self._changing:
            process = self._running.pop(name)
        process.kill()
        process.wait()

    def end(self, name: str) -> int:
        """SIGTERM the process called `name`; return its exit code. Raises TimeoutExpired."""
        with self._changing:
            process = self._running.pop(name)
        process.terminate()
        try:
            return process.wait(120)
        finally:
            process.kill()

    def get(self, path: str, **parameters: Any) -> httpx2.Response:
        """Return the answer to a query, whatever its status."""
        return self.client.get(path, params=parameters or None)

    def put(self, path: str, body: dict[str, Any]) -> None:
        """PUT `body`."""
        self.client.put(path, json=body).raise_for_status()

    def tried(self, path: str, body: dict[str, Any], key: str = "", actor: str = "") -> httpx2.Response:
        """Post a command, by default with a key of its own and of nobody; return the answer."""
        headers = {"Idempotency-Key": key or uuid4().hex} | ({"X-Actor": actor} if actor else {})
        return self.client.post(path, json=body, headers=headers)

    def post(self, path: str, body: dict[str, Any], key: str = "", actor: str = "") -> dict[str, Any]:
        """Post a command that is to succeed; return its receipt."""
        answer = self.tried(path, body, key, actor)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def publish(self, source: str, **agents: dict[str, Any]) -> dict[str, Any]:
        """Register scripted agents, and publish a process; return the receipt."""
        for name, config in agents.items():
            self.put(f"/api/agents/{name}", {"kind": "scripted", **config})
        drafted = self.post("/api/processes", {"definition": source})
        return self.post(f"/api/processes/{drafted['process_id']}/publish", {})

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return what the database answers."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return connection.execute(query, parameters or None).fetchall()  # type: ignore[arg-type]

    def close(self) -> None:
        """Kill every process."""
        self.client.close()
        for name in list(self._running):
            self.kill(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
