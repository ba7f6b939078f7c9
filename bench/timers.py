"""Many timers due at the same instant on one worker, alone and beside many that are due much later."""

import time
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Any

from bench.engine import PROJECTOR, WORKER
from bench.rig import CommandProcess, Rig, children, wait_until
from domain.executions.events.timer import TimerFired
from store.mapper import decode

AHEAD = timedelta(seconds=3)
IDLE_SECONDS = 5.0


class StartedTooLate(RuntimeError):
    """The timers were due before the last of them was set: their lateness means nothing."""


def timers(rig: Rig, at_once: int, pending: int, rounds: int) -> dict[str, float]:
    """Return the lateness in ms of `at_once` timers due together, over `rounds`, and the cost of `pending` others.

    Lateness is from the due time to the decision, as TimerFired states it. durable_ms: from the due time until the last
    of a round is in the log, median. The pending ones are rows put straight into due_timers, due in a year. idle:
    percent of one core that worker and server use in five seconds without work.
    """
    with children(rig.dsn, [WORKER, PROJECTOR]) as (worker, _):
        rig.start("w1", 20)
        rig.wait_idle()  # the worker is up
        _round(rig, 100)
        figures = {f"idle_{who}": share for who, share in _idle(rig, worker).items()}
        figures |= _rounds(rig, at_once, rounds)
        with rig.datastore.connect() as connection:
            connection.execute(
                """insert into due_timers (execution_id, step, kind, due_at)
                select gen_random_uuid(), 'wait', 'timer', now() + interval '1 year' from generate_series(1, %s)""",
                (pending,),
            )
        figures |= {f"idle_{who}_beside_pending": share for who, share in _idle(rig, worker).items()}
        beside = _rounds(rig, at_once, rounds)
        return figures | {f"{name}_beside_pending": value for name, value in beside.items()}


def _rounds(rig: Rig, at_once: int, rounds: int) -> dict[str, float]:
    late: list[float] = []
    durable = []
    for _ in range(rounds):
        lateness, until_durable = _round(rig, at_once)
        late += lateness
        durable.append(until_durable)
    return {"p50_ms": median(late), "p99_ms": quantiles(late, n=100)[98], "max_ms": max(late)} | {
        "durable_ms": median(durable)
    }


def _round(rig: Rig, at_once: int) -> tuple[list[float], float]:
    """Return how late each timer was, and when the last was durable, both in ms."""
    before = rig.log.last_position()
    due_at = datetime.now(UTC) + AHEAD
    rig.start("timer", at_once, {"at": due_at.isoformat()})
    rig.wait_projected()
    with rig.datastore.connect() as connection:
        if datetime.now(UTC) >= due_at:
            raise StartedTooLate(f"setting {at_once} timers took more than {AHEAD.total_seconds():.0f} s")
        time.sleep((due_at - datetime.now(UTC)).total_seconds())
        left = "select exists (select from due_timers where due_at <= %s) as left"
        wait_until(lambda: not _value(connection.execute(left, (due_at,)).fetchone()))
        until_durable = datetime.now(UTC) - due_at
        query = "select topic, state from stored_events where notification_id > %s and topic = 'TimerFired'"
        rows = connection.execute(query, (before,)).fetchall()
    fired = [decode(row["topic"], bytes(row["state"])) for row in rows]
    lateness = [event.lateness / timedelta(milliseconds=1) for event in fired if isinstance(event, TimerFired)]
    assert len(lateness) == at_once, f"{len(lateness)} of {at_once} timers fired"
    return lateness, until_durable / timedelta(milliseconds=1)


def _idle(rig: Rig, worker: CommandProcess) -> dict[str, float]:
    rig.wait_projected()
    time.sleep(1)  # the rest of the last round's work
    before, server = worker.cpu_seconds(), rig.server_cpu_seconds()
    time.sleep(IDLE_SECONDS)
    spent = sum(seconds - server[pid] for pid, seconds in rig.server_cpu_seconds().items() if pid in server)
    return {
        "worker_percent": (worker.cpu_seconds() - before) / IDLE_SECONDS * 100,
        "server_percent": spent / IDLE_SECONDS * 100,
    }


def _value(row: Any) -> bool:
    return bool(next(iter(row.values())))
