"""One execution with a long list (W9), in turns with W4 on the same rig; and the page of that execution."""

import time
from statistics import median, quantiles

from bench.engine import PROJECTOR, WORKER
from bench.rig import Rig, children
from bench.workloads import WORKLOADS
from domain.identity import process_id
from queries.definitions import Definitions
from queries.execution_detail import get_execution

GROWTH = """select sum(octet_length(state)) / %s as bytes from stored_events
where originator_id = %s and topic in ('ItemStarted', 'ItemCompleted')"""
PARENT = "select execution_id from execution_list where process_id = %s and parent_id is null order by position limit 1"


def items(rig: Rig, count: int, rounds: int, parents: int, runs: int) -> dict[str, float]:
    """Return items of one step a second in an execution with `count` of them, a hundred at once, and W4's parents.

    ratio: median of `rounds` pairs. stream_bytes_per_item: that the parent's stream grows by, the output counted once.
    page_…: ms in which the execution is read, of `runs`.
    """
    with children(rig.dsn, [WORKER, PROJECTOR]):
        _round(rig, "w4", 20, None)
        pairs = []
        for _ in range(rounds):
            rate = parents / _round(rig, "w4", parents, None)
            pairs.append((count / _round(rig, "w9", 1, list(range(count))), rate))
            rig.wait_projected()
    rig.require_completed()
    with rig.datastore.reading() as connection:
        parent = connection.execute(PARENT, (process_id(WORKLOADS["w9"].name),)).fetchone()
        assert parent is not None
        id = parent["execution_id"]
        growth = connection.execute(GROWTH, (count, id)).fetchone()
        assert growth is not None
    definitions, pages = Definitions(), []
    for _ in range(runs):
        begun = time.perf_counter()
        get_execution(rig.reading, definitions, id)
        pages.append((time.perf_counter() - begun) * 1e3)
    return {
        "items_per_s": median(rate for rate, _ in pairs),
        "w4_parents_per_s": median(rate for _, rate in pairs),
        "ratio": median(first / second for first, second in pairs),
        "stream_bytes_per_item": float(growth["bytes"]),
        "page_p50_ms": median(pages),
        "page_p95_ms": quantiles(pages, n=20)[18],
    }


def _round(rig: Rig, workload: str, executions: int, listed: list[int] | None) -> float:
    begun = time.perf_counter()
    rig.start(workload, executions, None if listed is None else {"items": listed})
    rig.wait_idle()
    return time.perf_counter() - begun
