"""A server that does not state its identity to the serving role: the append compares the newest epoch of the log."""

from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from domain.event import Cause, record
from domain.executions.events.step import StepSkipped
from store.connections import connect
from store.datastore import Datastore
from store.granting import grant_serving
from store.log import Log
from store.migrating import migrate
from store.unit import EpochOver, Unit

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:test")


def skipped() -> StepSkipped:
    return record(StepSkipped, CAUSE, step="a", reason="condition_false")


def test_an_append_in_an_epoch_that_is_over_is_refused_where_the_server_hides_its_identity(
    place: Any,
) -> None:
    dsn, serving, stream = place.database(), place.role(), uuid4()
    migrate(dsn)
    with connect(dsn) as connection:
        grant_serving(connection, serving, [])
    place.execute(dsn, "revoke execute on function pg_control_system() from public")
    with (
        closing(Datastore(place.as_role(dsn, serving), pool_size=2)) as datastore,
        closing(Log(datastore)) as log,
    ):
        with datastore.reading() as reading, pytest.raises(psycopg.errors.InsufficientPrivilege):
            reading.execute("select system_identifier from pg_control_system()")
        first = log.append(Unit(stream, 0, [skipped()]))
        epochs = datastore.epochs
        assert epochs.current is not None
        with datastore.connect() as connection:
            assert epochs.of(connection) == (epochs.current.epoch_id, None)
        # A process that may read the identity of the server that took over notes its epoch.
        place.execute(dsn, "select begin_epoch_v1('another', 7)")
        assert isinstance(log.append_all([Unit(stream, 1, [skipped()])])[0], EpochOver)
        assert log.last_position() == first
        assert log.append(Unit(stream, 1, [skipped()])) > first
        assert [(epoch.number, epoch.system_identifier) for epoch in epochs.known[1:]] == [(2, "another")]
