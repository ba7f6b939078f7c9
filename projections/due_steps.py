"""The to-do list of workers, which every append keeps: proven against the log, and put right where it differs."""

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection, IsolationLevel
from psycopg.rows import TupleRow, tuple_row

from domain.catalogue import STORED_NAMES
from domain.executions.outcomes import LEAVES_WORKER
from projections.facts import read_facts
from projections.pages import connect
from projections.reading import BULK, count, head, read_range
from projections.rebuilding import Rebuilt
from projections.verifying import SAMPLES, Difference, Verified
from store import arrays
from store.datastore import Datastore

NAME = "due_steps"
LOG_LOCK = 4711  # held by every append
SCHEDULED = "StepScheduled"
TOPICS = [SCHEDULED, *sorted(STORED_NAMES[kind] for kind in LEAVES_WORKER)]

LISTED = "select execution_id, step, attempt from due_steps"
STRIKE = """delete from due_steps d using unnest(%b, %b) as x(execution_id, step)
where d.execution_id = x.execution_id and d.step = x.step"""
INSERT = """insert into due_steps (execution_id, step, attempt, due_at) select * from unnest(%b, %b, %b, %b)"""

Progress = Callable[[int, int], None]
Due = dict[tuple[bytes, str], tuple[int, datetime]]


def rebuild(datastore: Datastore, progress: Progress) -> Rebuilt:
    """Put the list right: what is missing is added, what is surplus struck off; attempts rightly held stay held.

    Appends wait only for the last few events. progress: called with positions done and to do.
    Raises psycopg.OperationalError during an outage; the list is then as it was.
    """
    begun = time.perf_counter()
    with closing(connect(datastore)) as connection:
        due: Due = {}
        at = _fold(connection, due, 0, head(connection), progress)
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", (LOG_LOCK,))
            at = _fold(connection, due, at, head(connection), progress)
            _put_right(connection, due)
        seconds = time.perf_counter() - begun
        return Rebuilt(count(connection, at), seconds)


def verify(datastore: Datastore, progress: Progress) -> Verified:
    """Compare the list (execution, step, attempt) with what the log adds up to, in one snapshot; changes nothing."""
    with closing(connect(datastore)) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        with connection.transaction():
            due: Due = {}
            _fold(connection, due, 0, head(connection), progress)
            listed = _listed(connection)
    expected = {key: attempt for key, (attempt, _) in due.items()}
    differing = sorted(key for key in expected.keys() | listed.keys() if expected.get(key) != listed.get(key))
    samples = [_difference(key, listed.get(key), expected.get(key)) for key in differing[:SAMPLES]]
    return Verified(len(expected), len(differing), samples)


def _fold(connection: Connection[Any], due: Due, after: int, until: int, progress: Progress) -> int:
    for begin in range(after, until, BULK):
        end = min(begin + BULK, until)
        _move(due, read_range(connection, begin, end, TOPICS))
        progress(end, until)
    return until


def _move(due: Due, rows: Iterable[TupleRow]) -> None:
    for fact in read_facts(rows, TOPICS):
        key = fact.stream, fact.event.step
        if fact.topic == SCHEDULED:
            due[key] = fact.event.attempt, fact.event.at
        else:
            due.pop(key, None)


def _listed(connection: Connection[Any]) -> dict[tuple[bytes, str], int]:
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        rows = cursor.execute(LISTED).fetchall()
    return {(execution, step): attempt for execution, step, attempt in rows}


def _put_right(connection: Connection[Any], due: Due) -> None:
    listed = _listed(connection)
    wrong = [key for key, attempt in listed.items() if key not in due or due[key][0] != attempt]
    missing = [(key, *row) for key, row in due.items() if listed.get(key) != row[0]]
    if wrong:
        columns = arrays.uuid_bytes([execution for execution, _ in wrong]), arrays.texts([step for _, step in wrong])
        connection.execute(STRIKE, columns)
    if missing:
        connection.execute(
            INSERT,
            (
                arrays.uuid_bytes([execution for (execution, _), _, _ in missing]),
                arrays.texts([step for (_, step), _, _ in missing]),
                arrays.ints([attempt for _, attempt, _ in missing]),
                arrays.timestamptzs([at for _, _, at in missing]),
            ),
        )


def _difference(key: tuple[bytes, str], listed: int | None, expected: int | None) -> Difference:
    def row(attempt: int | None) -> dict[str, Any] | None:
        return None if attempt is None else {"attempt": attempt}

    return Difference(NAME, {"execution_id": str(UUID(bytes=key[0])), "step": key[1]}, row(listed), row(expected))
