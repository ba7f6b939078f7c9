"""A database that an older release made and filled is brought up to date, and goes on."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.event import Cause, record
from domain.executions.events.execution import ExecutionQueued
from domain.executions.events.step import StepScheduled, StepSkipped
from store.datastore import Datastore
from store.log import Log
from store.mapper import encode
from store.migrating import LEDGER, migrate, migrations, pending
from store.unit import Unit
from tests.database import cloned

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:test", "cause", "correlation")
STREAM = UUID(int=1)
SCHEDULED = record(StepScheduled, CAUSE, step="a", attempt=1, agent="x", message="m")
SKIPPED = record(StepSkipped, CAUSE, step="b", reason="condition_false")


@contextmanager
def older(server: str, releases: int) -> Iterator[tuple[str, psycopg.Connection[Any]]]:
    """Yield a database to which so many migrations were applied, its conninfo and a connection."""
    with cloned(server) as dsn, psycopg.connect(dsn) as connection:
        connection.execute(LEDGER)
        for number, file, sql in migrations()[:releases]:
            connection.execute(sql)
            digest = hashlib.sha256(sql.encode()).hexdigest()
            ledger = "insert into schema_migrations (number, name, digest) values (%s, %s, %s)"
            connection.execute(ledger, (number, file, digest))
        yield dsn, connection


@pytest.fixture
def with_timers(server: str) -> Iterator[str]:
    """conninfo of a database as it was before executions could call each other, with an execution in it."""
    with older(server, 3) as (dsn, connection):
        stored = "insert into stored_events values (%s, 1, 'StepScheduled', %s)"
        connection.execute(stored, (STREAM, encode(SCHEDULED)))
        connection.execute("insert into due_steps (execution_id, step, attempt) values (%s, 'a', 1)", (STREAM,))
        connection.commit()
        yield dsn


def test_executions_that_wait_keep_their_order_and_the_release_before_its_function(server: str) -> None:
    before = [number for number, _, _ in migrations()].index(56)
    process, waiting, newest, running = (UUID(int=n) for n in range(1, 5))
    with older(server, before) as (dsn, connection):
        queued = encode(record(ExecutionQueued, CAUSE, process_id=process))
        connection.execute("insert into stored_events values (%s, 2, 'ExecutionQueued', %s)", (waiting, queued))
        place = "select move_slots_v1(0, %s::uuid[], %s::uuid[], %s::uuid[], %s::bool[])"
        connection.execute(place, ([], [running, waiting], [process, process], [True, False]))
        connection.commit()
        migrate(dsn)
        connection.execute(place, ([], [newest], [process], [False]))
        assert connection.execute("select * from slot_lines").fetchall() == [(process, "", 1, 2, 0)]
        order = "select execution_id, key from admissions where not running order by rank, position"
        assert connection.execute(order).fetchall() == [(waiting, ""), (newest, "")]
        assert connection.execute("select rank from admissions where execution_id = %s", (waiting,)).fetchone() == (
            CAUSE.at,
        )
        connection.execute(place, ([running, waiting, newest], [], [], []))
        assert connection.execute("select * from slot_lines").fetchall() == []


def test_it_gets_what_is_new_and_keeps_what_it_had(with_timers: str) -> None:
    new = [name for _, name, _ in migrations()[3:]]
    assert pending(with_timers) == new
    assert migrate(with_timers) == new
    datastore = Datastore(with_timers, pool_size=2)
    log = Log(datastore)
    try:
        assert log.stream(STREAM) == [SCHEDULED]
        assert log.append(Unit(STREAM, 1, [SKIPPED])) == 2
        assert log.stream(STREAM) == [SCHEDULED, SKIPPED]
        with datastore.reading() as connection:
            assert connection.execute("select step, attempt from due_steps").fetchall() == [{"step": "a", "attempt": 1}]
    finally:
        log.close()
        datastore.close()
