"""An installation on a cluster: processes of its own, which speak to the database as they are told."""

import os
from pathlib import Path
from typing import Any

import httpx2

from tests.clusters.node import Cluster
from tests.forking import Forked, fork
from tests.ports import free_port
from tests.waiting import until

IMPATIENT = "tests.clusters.impatient"
HELLO = """
name: hello
input: {who: {type: string, default: you}}
steps:
  - {id: greet, agent: echo, message: "Hello {{ input.who }}"}
outputs: {text: "{{ steps.greet.output }}"}
"""


class Installation:
    """Processes with one DATABASE_URL. settings: further environment variables. prepared_by: as in `fork`."""

    def __init__(self, cluster: Cluster, dsn: str, *, prepared_by: str | None = None, **settings: str) -> None:
        self.folder = cluster.folder
        self._prepared_by = prepared_by
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PROCESSION_")},
            "DATABASE_URL": dsn,
            "PROCESSION_HOME": os.devnull,
            "PROCESSION_LEASE": "2s",
            **settings,
        }
        self._running: dict[str, Forked] = {}
        self.client = httpx2.Client(timeout=60)

    def run(self, *arguments: str) -> int:
        """Run a `procession` command to its end; return its exit code."""
        return self._fork("commands", arguments).wait(120)

    def launch(self, name: str, *arguments: str) -> None:
        """Start a `procession` command."""
        self._running[name] = self._fork(name, arguments)

    def _fork(self, name: str, arguments: tuple[str, ...]) -> Forked:
        return fork(arguments, self._environment, self.words_of(name), prepared_by=self._prepared_by)

    def words_of(self, name: str) -> Path:
        """Return the file of what a process writes."""
        return self.folder / f"{name}.txt"

    def serve(self) -> None:
        """Start an API; return once it is ready, or degraded."""
        port = free_port()
        self.client.base_url = httpx2.URL(f"http://127.0.0.1:{port}")
        self.launch("serve", "serve", "--port", str(port))
        until(self._serves)

    def _serves(self) -> bool:
        assert self._running["serve"].poll() is None, self.words_of("serve").read_text()[-2000:]
        try:
            return self.client.get("/health/ready").status_code == 200
        except httpx2.HTTPError:
            return False

    def health(self) -> dict[str, Any]:
        """Return what health states."""
        found: dict[str, Any] = self.client.get("/health/ready").json()
        return found

    def publish(self) -> None:
        """Register an agent, and publish the process hello."""
        agent = {"kind": "scripted", "script": "echo"}
        self.client.put("/api/agents/echo", json=agent).raise_for_status()
        drafted = self.post("/api/processes", {"definition": HELLO}, "draft")
        self.post("/api/processes/hello/publish", {}, "publish")
        assert drafted["process_id"]

    def post(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        """Post a command that is to succeed; return its receipt."""
        answer = self.tried(path, body, key)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def tried(self, path: str, body: dict[str, Any], key: str) -> httpx2.Response:
        """Post a command; return the answer."""
        return self.client.post(path, json=body, headers={"Idempotency-Key": key})

    def start(self, key: str) -> dict[str, Any]:
        """Start an execution of hello; return the receipt."""
        return self.post("/api/processes/hello/executions", {"input": {}}, key)

    def completed(self, receipt: dict[str, Any]) -> dict[str, Any]:
        """Return the execution of a receipt once it has completed."""
        path = f"/api/executions/{receipt['execution_id']}"
        until(lambda: self.client.get(path).json().get("status") == "completed")
        found: dict[str, Any] = self.client.get(path).json()
        return found

    def end(self, name: str) -> None:
        """End a process in an orderly way."""
        process = self._running.pop(name)
        process.terminate()
        process.wait(60)

    def __enter__(self) -> "Installation":
        return self

    def __exit__(self, *_: Any) -> None:
        self.client.close()
        for process in self._running.values():
            process.kill()
            process.wait(60)
