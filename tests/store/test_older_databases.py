"""A database that an older release made and filled is brought up to date, and goes on."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import conninfo

from domain.event import Cause, record
from domain.executions.events.step import StepScheduled, StepSkipped
from store.datastore import Datastore
from store.log import Log
from store.mapper import encode
from store.migrating import LEDGER, migrate, migrations, pending
from store.unit import Unit

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:test", "cause", "correlation")
STREAM = UUID(int=1)
SCHEDULED = record(StepScheduled, CAUSE, step="a", attempt=1, agent="x", message="m")
SKIPPED = record(StepSkipped, CAUSE, step="b", reason="condition_false")


@pytest.fixture
def with_timers(server: str) -> Iterator[str]:
    """conninfo of a database as it was before executions could call each other, with an execution in it."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"create database {name}")
        dsn = conninfo.make_conninfo(server, dbname=name)
        with psycopg.connect(dsn) as connection:
            connection.execute(LEDGER)
            for number, file, sql in migrations()[:3]:
                connection.execute(sql)
                digest = hashlib.sha256(sql.encode()).hexdigest()
                ledger = "insert into schema_migrations (number, name, digest) values (%s, %s, %s)"
                connection.execute(ledger, (number, file, digest))
            stored = "insert into stored_events values (%s, 1, 'StepScheduled', %s)"
            connection.execute(stored, (STREAM, encode(SCHEDULED)))
            connection.execute("insert into due_steps (execution_id, step, attempt) values (%s, 'a', 1)", (STREAM,))
        yield dsn
        admin.execute(f"drop database {name} with (force)")


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
