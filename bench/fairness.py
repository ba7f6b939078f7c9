"""W1 beside many calls of a slow agent that are open or wait, in turns with W1 alone on a worker of its own."""

import time
from statistics import median
from typing import Any

from bench.engine import PROJECTOR, wait_for_end
from bench.rig import Rig, children, now, wait_until
from bench.workloads import STEPS, WORKLOADS
from commands.executions import StartExecution
from domain.identity import process_id
from store.listening import LOG_CHANNEL

# The open calls of the slow agent are not awaited at the end.
HASTY_WORKER = ("work", "--no-projector", "--drain", "1")
BUSY = "select exists (select from due_steps where agent = 'noop')"
OPEN = "select count(*) from due_steps where agent = 'slow' and owner is not null"
LONE_RUNS = 20


def fair(alone: Rig, beside: Rig, executions: int, rounds: int, slow: int) -> dict[str, float]:
    """Return W1's steps a second alone, and beside `slow` calls of 40 s, and their ratio: medians of `rounds` pairs.

    lone_…: one execution of W1 at a time, p50 in ms. Each rig has a worker and a projector.
    """
    with children(alone.dsn, [HASTY_WORKER, PROJECTOR]), children(beside.dsn, [HASTY_WORKER, PROJECTOR]):
        for rig in (alone, beside):
            _round(rig, 20)
        beside.start("slow", slow)
        _wait_for_share(beside)
        pairs = [(_round(alone, executions), _round(beside, executions)) for _ in range(rounds)]
        lone = [(_lone(alone), _lone(beside)) for _ in range(LONE_RUNS)]
        return {
            "steps_per_s_alone": median(first for first, _ in pairs),
            "steps_per_s_beside": median(second for _, second in pairs),
            "ratio": median(second / first for first, second in pairs),
            "lone_p50_ms_alone": median(first for first, _ in lone),
            "lone_p50_ms_beside": median(second for _, second in lone),
            "slow_calls_open": float(_count(beside)),
        }


def _round(rig: Rig, executions: int) -> float:
    begun = time.perf_counter()
    rig.start("w1", executions)
    with rig.datastore.connect() as connection:
        wait_until(lambda: not _first(connection.execute(BUSY).fetchone()))
    return executions * STEPS / (time.perf_counter() - begun)


def _lone(rig: Rig) -> float:
    with rig.datastore.connect() as ear:
        ear.execute(f"listen {LOG_CHANNEL}")
        begun = time.perf_counter()
        id = rig.executions.start(StartExecution(process_id(WORKLOADS["w1"].name), {"n": 1}), now()).stream
        wait_for_end(ear, id)
        return (time.perf_counter() - begun) * 1e3


def _wait_for_share(rig: Rig) -> None:
    """Return when the worker claims no more of the slow calls."""
    before = -1
    while (claimed := _count(rig)) != before or claimed == 0:
        before = claimed
        time.sleep(1)


def _count(rig: Rig) -> int:
    with rig.datastore.reading() as connection:
        return int(_first(connection.execute(OPEN).fetchone()))


def _first(row: Any) -> Any:
    return next(iter(row.values()))
