"""A worker with little memory sets an execution aside that does not fit into it, and goes on with all others."""

import resource
from pathlib import Path

import psycopg
import pytest

from tests.journeys.conftest import Site
from tests.journeys.killing import begin, post, wait_for

HEADROOM = 60 << 20
TOO_LARGE = 120 << 20
PROCESS = """
name: small
steps:
  - {id: a, agent: careful, message: hello}
  - {id: b, agent: careful, message: hello, depends_on: a}
"""
LATER = "{name: later, steps: [{id: pause, type: timer, duration: 1h}]}"
COMPLETED = "select count(*) from stored_events where topic = 'ExecutionCompleted'"


def start(site: Site, key: str, process: str = "small") -> str:
    return str(post(site, f"/api/processes/{process}/executions", {}, key).json()["execution_id"])


def limit_memory(pid: int) -> None:
    """Leave the process its present address space and some more, as `ulimit -v` does."""
    status = Path(f"/proc/{pid}/status").read_text()
    size = next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmSize"))
    resource.prlimit(pid, resource.RLIMIT_AS, (size + HEADROOM, size + HEADROOM))


def enlarge(site: Site, execution: str) -> None:
    """Make the first event of the execution as large as no release would."""
    with psycopg.connect(site.server.conninfo) as connection:
        connection.execute(
            """update stored_events set state = convert_to(replace(convert_from(state, 'utf8'),
              '"input":{', '"input":{"x":"' || repeat('x', %s) || '"'), 'utf8')
            where originator_id = %s and originator_version = 1""",
            (TOO_LARGE, execution),
        )


@pytest.mark.timeout(600)
def test_an_execution_that_does_not_fit_into_memory_is_set_aside(site: Site) -> None:
    begin(site, [PROCESS, LATER])
    site.end("worker-1")
    start(site, "warm")
    wait_for(lambda: site.rows(COMPLETED) == [(1,)], 60)
    limit_memory(site.pid("worker-2"))
    # Its timer is due when it is large, so no worker has read it before.
    large = start(site, "large", "later")
    enlarge(site, large)
    site.rows("update due_timers set due_at = now() returning 1")
    others = [start(site, f"other-{n}") for n in range(20)]
    wait_for(lambda: site.rows(COMPLETED) == [(21,)] and site.rows("select 1 from set_aside") != [], 60)
    assert site.rows(COMPLETED) == [(21,)], others
    ((aside, error),) = site.rows("select execution_id::text, error from set_aside")
    assert aside == large
    assert "emory" in error
    assert site.end("worker-2") == 0
