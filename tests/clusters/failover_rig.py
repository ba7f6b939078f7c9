"""Failovers between two nodes that lose the last events, or none, and installations that follow what takes writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import conninfo

from tests.clusters.node import NAME, Node
from tests.journeys.conftest import Site
from tests.journeys.killing import post, put
from tests.waiting import until

PROCESS = """
name: {name}
steps:
  - {{id: a, agent: careful, message: "{{{{ input.n }}}}"}}
  - {{id: pause, type: timer, duration: 200ms, depends_on: a}}
  - {{id: b, agent: careful, message: "{{{{ steps.a.output }}}}", depends_on: pause}}
"""
ENDED = "select count(*) from stored_events where topic = 'ExecutionCompleted'"
STARTED = "select count(*) from stored_events where topic = 'ExecutionStarted'"


def both(*nodes: Node) -> str:
    """Return the address that names all nodes, and stands for the first of them that takes writes."""
    return conninfo.make_conninfo(
        host=",".join("127.0.0.1" for _ in nodes),
        port=",".join(str(node.port) for node in nodes),
        dbname=NAME,
        user="postgres",
        target_session_attrs="read-write",
        connect_timeout=5,
    )


def cut_off(primary: Node, standby: Node) -> None:
    """End a standby that has everything of now: it gets nothing that comes later."""
    standby.await_replay(primary)
    standby.stop()


def take_over(primary: Node, standby: Node) -> None:
    """Kill the primary, and promote the standby that was cut off from it."""
    primary.kill()
    standby.start()
    standby.promote()


class FailoverSite(Site):
    """API and workers on a cluster. primary: the node that the test itself asks. prepared_by: as in `fork`."""

    def __init__(self, directory: Path, dsn: str, primary: Node, prepared_by: str | None) -> None:
        super().__init__(directory, None)  # type: ignore[arg-type] # no embedded server
        self._dsn = dsn
        self.primary = primary
        self.prepared_by = prepared_by

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the processes."""
        return {**super().environment, "DATABASE_URL": self._dsn}

    def _rows(self, query: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self.primary.rows(query, *parameters)

    def begin(self, process: str = "going") -> None:
        """Start an API and two workers, and publish a process."""
        self.base = self.serve()
        for name in ("worker-1", "worker-2"):
            self.launch(name, "work")
        self.ready()
        agent = {"kind": "scripted", "script": "slow", "delay": "20ms", "record": str(self.directory / "calls")}
        put(self, "/api/agents/careful", agent)
        self.publish(process, PROCESS.format(name=process))

    def publish(self, name: str, source: str) -> int:
        """Publish a version of a process; return its number."""
        drafted = self.client.put(f"{self.base}/api/processes/{name}", json={"definition": source})
        if drafted.status_code == 404:
            post(self, "/api/processes", {"definition": source}, f"draft-{name}")
        published = self.client.post(f"{self.base}/api/processes/{name}/publish", json={})
        assert published.is_success, published.text
        version: int = published.json()["version"]
        return version

    def start(self, n: int, process: str = "going") -> dict[str, Any]:
        """Start an execution, with as many requests as it takes; return the receipt, with the epoch of its position."""
        answer = post(self, f"/api/processes/{process}/executions", {"input": {"n": n}}, f"{process}-{n}")
        return {**answer.json(), "epoch": answer.headers["procession-epoch"]}

    def get(self, path: str, **parameters: object) -> Any:
        """Return the answer to a query."""
        return self.client.get(f"{self.base}{path}", params={name: str(value) for name, value in parameters.items()})

    def holding(self, receipt: dict[str, Any]) -> Any:
        """Return the answer to a query for the position of a receipt, once the read model has got so far."""

        def answer() -> Any:
            return self.get("/api/executions", min_position=receipt["position"], epoch=receipt["epoch"])

        until(lambda: answer().status_code != 503)
        return answer()

    def count(self, query: str) -> int:
        """Return the number that a query of the primary returns."""
        number: int = self.rows(query)[0][0]
        return number


@contextmanager
def installed(directory: Path, dsn: str, primary: Node, prepared_by: str | None = None) -> Iterator[FailoverSite]:
    """Yield an installation; stop its processes afterwards."""
    made = FailoverSite(directory, dsn, primary, prepared_by)
    try:
        yield made
    finally:
        made.stop()
