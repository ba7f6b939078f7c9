"""The connections of each process: named by role and worker, few while idle, and counted where none are left."""

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg

from tests.clusters.installation import Greeting, impatient
from tests.clusters.node import Cluster, Node
from tests.waiting import until

PAGE = (Path(__file__).parents[2] / "docs/high-availability.md").read_text("utf-8")
NAMES = "select application_name from pg_stat_activity where application_name like 'procession%'"
COMPLETED = "select count(*) from execution_list where status = 'completed'"
EXECUTIONS = 400
UUID = r"[0-9a-f]{8}-[0-9a-f-]{27}"
PARTS = {
    "procession serve": r"procession serve( append| listen)?",
    "procession work --no-projector": rf"procession work( append| {UUID} (claims|lease|listen|upkeep))?",
    "procession work --only-projector": r"procession projector( listen| alerts| projections)?",
}


def documented(command: str) -> tuple[int, int]:
    """Return the connections that the page states of a command, idle and at most."""
    ((idle, most),) = re.findall(rf"^\| `{re.escape(command)}` \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    return int(idle), int(most)


def test_each_process_has_the_connections_that_the_page_states(cluster: Cluster, primary: Node) -> None:
    def open_now() -> Counter[str]:
        names = [name for (name,) in primary.rows(NAMES)]
        return Counter(command for command, part in PARTS.items() for name in names if re.fullmatch(part, name))

    def idle(command: str) -> Callable[[], bool]:
        return lambda: open_now()[command] == documented(command)[0]

    with Greeting(cluster, primary.dsn) as installation:
        installation.prepare = impatient
        installation.launch("work", "work", "--no-projector")
        installation.launch("projector", "work", "--only-projector")
        installation.serve()
        installation.publish_hello()
        for command in PARTS:
            until(idle(command))
        most: Counter[str] = Counter()
        with ThreadPoolExecutor(40) as callers:
            calls = [callers.submit(installation.client.get, "/api/executions") for _ in range(200)]
            receipts = [callers.submit(installation.start, f"key-{n}") for n in range(20)]
            while not all(call.done() for call in (*calls, *receipts)):
                most |= open_now()
        for receipt in receipts:
            installation.completed(receipt.result())
        assert {command: most[command] for command in PARTS if most[command] > documented(command)[1]} == {}
        every = [name for (name,) in primary.rows(NAMES)]
        assert [name for name in every if not any(re.fullmatch(part, name) for part in PARTS.values())] == []
        until(idle("procession serve"))


def test_four_connections_of_the_pool_are_enough_for_a_worker_and_a_projector(cluster: Cluster, primary: Node) -> None:
    with (
        Greeting(cluster, primary.dsn) as doors,
        Greeting(cluster, primary.dsn, PROCESSION_POOL_SIZE="4") as small,
    ):
        doors.serve()
        doors.publish_hello()
        with ThreadPoolExecutor(40) as callers:
            list(callers.map(doors.start, map(str, range(EXECUTIONS))))
        # Everything is due when they begin.
        small.launch("work", "work", "--no-projector")
        small.launch("projector", "work", "--only-projector")
        until(lambda: primary.rows(COMPLETED) == [(EXECUTIONS,)])
        for name in ("work", "projector"):
            small.end(name)
            words = small.words(name)
            assert "ready" in words
            assert "PROCESSION_POOL_SIZE" not in words, words[-2000:]


def test_a_server_without_free_connections_is_stated_by_health(cluster: Cluster, primary: Node) -> None:
    with Greeting(cluster, primary.dsn) as installation, ExitStack() as others:
        installation.serve()
        assert installation.health()["status"] == "ready"

        def full() -> bool:
            try:
                others.enter_context(psycopg.connect(primary.dsn))
            except psycopg.OperationalError:
                return True
            return False

        until(full)
        health = installation.health()
        assert (health["status"], health["reason"]["code"]) == ("degraded", "too_many_database_connections")
        assert health["connections"]["open"] == health["connections"]["limit"] == 100
        metrics = installation.client.get("/metrics").text
        assert "procession_database_connections 100.0" in metrics
        assert "procession_database_connections_limit 100.0" in metrics
        others.close()
        until(lambda: installation.health()["status"] == "ready")
