"""Many schedules due at one instant (W6): until the last has started, and the delay of other executions' steps."""

import threading
import time
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any

from bench.engine import PROJECTOR, WORKER
from bench.http_load import free_port, rate_of_starts, wait_ready
from bench.rig import CAUSE, Rig, children, wait_until
from commands.processes import DraftProcess, PublishProcess
from domain.event import Cause
from domain.executions.events.step import StepCompleted
from domain.identity import process_id, schedule_id
from domain.schedules.decisions import register_schedule
from domain.schedules.rules import terms_of
from store.mapper import decode
from store.unit import Unit

PROCESSES = 10
DUE = "name: bench-due-{n}\nsteps: [{{id: wait, type: timer, duration: 24h}}]\n"
EVERY = timedelta(hours=1)
QUIET_SECONDS = 8.0
AHEAD = timedelta(seconds=3)
PAUSE_SECONDS = 0.1


def due_at_once(rig: Rig, schedules: int, starts: int) -> dict[str, float]:
    """Return how long until the last of `schedules` due together has started, and the delay of other steps meanwhile.

    starts_per_s: of these; http_starts_per_s: of the same processes over HTTP, before, beside as many other executions.
    step_p99_ms: from one step of another execution to its next one, quiet and beside the starts.
    """
    names = [f"bench-due-{n}" for n in range(PROCESSES)]
    for n in range(PROCESSES):
        rig.processes.draft(DraftProcess(DUE.format(n=n)), CAUSE)
        rig.processes.publish(PublishProcess(process_id(names[n])), CAUSE)
    port = free_port()
    with children(rig.dsn, [("serve", "--port", str(port)), WORKER, PROJECTOR]):
        wait_ready(f"http://127.0.0.1:{port}")
        rig.start("w1", 20)
        rig.wait_idle()  # the worker is up
        with OtherExecutions(rig):
            http = rate_of_starts(port, names[0], starts)
            rig.wait_projected()
            begun = datetime.now(UTC)
            time.sleep(QUIET_SECONDS)
            quiet_until = datetime.now(UTC)
            due_at = datetime.now(UTC) + AHEAD + timedelta(milliseconds=schedules)
            _register(rig, names, schedules, due_at)
            time.sleep(max(0.0, (due_at - datetime.now(UTC)).total_seconds()))
            late = time.time() - due_at.timestamp()
            with rig.datastore.connect() as connection:
                left = "select exists (select from due_schedules where due_at <= %s) as left"
                wait_until(lambda: not next(iter(connection.execute(left, (due_at,)).fetchone().values())))  # type: ignore[union-attr]
            ended = datetime.now(UTC)
    assert late < 1, "the schedules were due before the last of them was registered"
    taken = (ended - due_at).total_seconds()
    quiet, beside = _steps(rig, begun, quiet_until), _steps(rig, due_at, ended)
    return {
        "seconds": taken,
        "starts_per_s": schedules / taken,
        "http_starts_per_s": http["starts_per_s"],
        "ratio": schedules / taken / http["starts_per_s"],
        "step_p99_ms_quiet": quantiles(quiet, n=100)[98],
        "step_p99_ms_beside": quantiles(beside, n=100)[98],
        "steps_beside": float(len(beside)),
    }


class OtherExecutions:
    """Starts an execution of W1 again and again, until the end of the block."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._start)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _start(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            self._rig.start("w1", 1)


def _register(rig: Rig, names: list[str], schedules: int, due_at: datetime) -> None:
    """Register schedules whose first instant is `due_at`, a hundred in an append."""
    cause = Cause(due_at - EVERY, "user:bench")
    for begin in range(0, schedules, 100):
        units = []
        for n in range(begin, min(begin + 100, schedules)):
            name, trigger = names[n % len(names)], f"tick-{n}"
            rule: dict[str, Any] = {"type": "schedule", "id": trigger, "every": "1h", "overlap": "allow"}
            new = register_schedule(None, process_id(name), name, 1, rule, {}, cause, terms_of)
            units.append(Unit(schedule_id(process_id(name), trigger), 0, new))
        rig.log.append_all(units)


def _steps(rig: Rig, begin: datetime, end: datetime) -> list[float]:
    """Return the times in ms from one completed step of an execution to the next, of those that ended in between."""
    query = "select originator_id, state from stored_events where topic = 'StepCompleted' order by notification_id"
    with rig.datastore.connect() as connection:
        rows = connection.execute(query).fetchall()
    before: dict[Any, datetime] = {}
    found: list[float] = []
    for row in rows:
        event = decode("StepCompleted", bytes(row["state"]))
        assert isinstance(event, StepCompleted)
        last = before.get(row["originator_id"])
        before[row["originator_id"]] = event.at
        if last is not None and begin <= event.at <= end:
            found.append((event.at - last) / timedelta(milliseconds=1))
    return found
