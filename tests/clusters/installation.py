"""An installation on a cluster, and the one process that tests run on it."""

from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import store.connections
from tests.clusters.node import Cluster
from tests.processes import Processes
from tests.waiting import until

HELLO = """
name: hello
input: {who: {type: string, default: you}}
steps:
  - {id: greet, agent: echo, message: "Hello {{ input.who }}"}
outputs: {text: "{{ steps.greet.output }}"}
"""


def impatient() -> None:
    """Let the pools of a process wait a tenth as long for a connection, and keep idle ones a tenth as long."""
    store.connections.IDLE_SECONDS /= 10
    store.connections.POOL_TIMEOUT_SECONDS /= 10


class Greeting(Processes):
    """An installation that runs the process hello."""

    def __init__(self, cluster: Cluster, dsn: str, **settings: str) -> None:
        super().__init__(Path(mkdtemp(dir=cluster.folder)), dsn, **settings)

    def health(self) -> dict[str, Any]:
        """Return what health states."""
        found: dict[str, Any] = self.get("/health/ready").json()
        return found

    def publish_hello(self) -> None:
        """Register an agent, and publish the process."""
        self.publish(HELLO, echo={"script": "echo"})

    def start(self, key: str) -> dict[str, Any]:
        """Start an execution; return the receipt."""
        return self.post("/api/processes/hello/executions", {"input": {}}, key)

    def completed(self, receipt: dict[str, Any]) -> dict[str, Any]:
        """Return the execution of a receipt once it has completed."""
        path = f"/api/executions/{receipt['execution_id']}"
        until(lambda: self.get(path).json().get("status") == "completed")
        found: dict[str, Any] = self.get(path).json()
        return found
