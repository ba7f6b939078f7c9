"""The to-do list of the clock, which every append keeps: proven against the log, and put right where it differs.

What is due when follows from the engine and the plans, so the executions that run are folded as the engine folds them.
"""

import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection, IsolationLevel
from psycopg.rows import tuple_row

from domain.executions.timers import HEARTBEAT
from projections.due_steps import LOG_LOCK
from projections.pages import connect
from projections.reading import BULK, count, head
from projections.rebuilding import Rebuilt
from projections.running_timers import RunningTimers
from projections.verifying import SAMPLES, Difference, Verified
from store import arrays
from store.datastore import Datastore

NAME = "due_timers"

LISTED = "select execution_id, step, kind, due_at from due_timers"
STRIKE = """delete from due_timers d using unnest(%b, %b, %b) as x(execution_id, step, kind)
where d.execution_id = x.execution_id and d.step = x.step and d.kind = x.kind"""
INSERT = """insert into due_timers (execution_id, step, kind, due_at) select * from unnest(%b, %b, %b, %b)
on conflict (execution_id, step, kind) do update set due_at = excluded.due_at, claimed_until = null"""

Progress = Callable[[int, int], None]
Key = tuple[bytes, str, str]
Due = dict[Key, datetime]


def rebuild(datastore: Datastore, progress: Progress) -> Rebuilt:
    """Put the list right: what is missing is added, what is surplus struck off; what is right, or in hand, stays.

    A heartbeat that the list has for later than the log says stays too: signs of life are not in the log.
    Appends wait only for the last few events. progress: called with positions done and to do.
    Raises psycopg.OperationalError during an outage; the list is then as it was.
    """
    begun = time.perf_counter()
    with closing(connect(datastore)) as connection:
        running = RunningTimers(connection)
        while (end := head(connection)) - running.position > (0 if running.position == 0 else BULK):
            running.read_to(end, progress)
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", (LOG_LOCK,))
            running.read_to(head(connection), progress)
            _put_right(connection, _due(running))
        seconds = time.perf_counter() - begun
        return Rebuilt(count(connection, running.position), seconds)


def verify(datastore: Datastore, progress: Progress) -> Verified:
    """Compare the list with what the log adds up to, in one snapshot; changes nothing.

    Raises psycopg.OperationalError during an outage.
    """
    with closing(connect(datastore)) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        with connection.transaction():
            running = RunningTimers(connection)
            running.read_to(head(connection), progress)
            listed = _listed(connection)
    expected = _due(running)
    differing = sorted(_surplus(listed, expected) | _missing(listed, expected))
    samples = [_difference(key, listed.get(key), expected.get(key)) for key in differing[:SAMPLES]]
    return Verified(len(expected), len(differing), samples)


def _due(running: RunningTimers) -> Due:
    return {
        (execution, step, kind): due_at
        for execution, timers in running.timers.items()
        for (step, kind), due_at in timers.items()
    }


def _surplus(listed: Due, expected: Due) -> set[Key]:
    return listed.keys() - expected.keys()


def _missing(listed: Due, expected: Due) -> set[Key]:
    """Those that are not there, or are there for another time."""
    return {key for key, due_at in expected.items() if not _right(key[2], listed.get(key), due_at)}


def _right(kind: str, listed: datetime | None, expected: datetime) -> bool:
    return listed == expected or (kind == HEARTBEAT and listed is not None and listed > expected)


def _listed(connection: Connection[Any]) -> Due:
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        rows = cursor.execute(LISTED).fetchall()
    return {(execution, step, kind): due_at for execution, step, kind, due_at in rows}


def _put_right(connection: Connection[Any], expected: Due) -> None:
    listed = _listed(connection)
    surplus, missing = list(_surplus(listed, expected)), list(_missing(listed, expected))
    if surplus:
        connection.execute(STRIKE, _columns(surplus))
    if missing:
        connection.execute(INSERT, (*_columns(missing), arrays.timestamptzs([expected[key] for key in missing])))


def _columns(keys: list[Key]) -> tuple[arrays.Array, ...]:
    return (
        arrays.uuid_bytes([execution for execution, _, _ in keys]),
        arrays.texts([step for _, step, _ in keys]),
        arrays.texts([kind for _, _, kind in keys]),
    )


def _difference(key: Key, listed: datetime | None, expected: datetime | None) -> Difference:
    def row(due_at: datetime | None) -> dict[str, Any] | None:
        return None if due_at is None else {"due_at": due_at.isoformat()}

    execution, step, kind = key
    shown = {"execution_id": str(UUID(bytes=execution)), "step": step, "kind": kind}
    return Difference(NAME, shown, row(listed), row(expected))
