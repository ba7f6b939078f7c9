"""Read tables to project into, logs to project, and rows to compare."""

from collections.abc import Callable, Iterable
from typing import Any, LiteralString
from uuid import UUID

import pytest
from hypothesis import strategies as st
from psycopg import Connection

from domain.event import Event
from projections.projection import Projection
from store.datastore import Datastore
from store.log import Log
from store.mapper import STORED_NAMES, encode
from store.unit import Unit
from tests.projections.random_logs import random_log
from tests.projections.releases import X, project, rows
from tests.projections.stories import Happened, Story

AsRows = Callable[[Iterable[tuple[UUID, Event]]], list[tuple[Any, ...]]]
Append = Callable[[Iterable[tuple[UUID, Event]]], int]
RowsOf = Callable[[Connection[Any], Projection[Any]], list[Any]]


@pytest.fixture
def append(read_tables: Datastore, log: Log) -> Append:
    """append([(stream, event), …]): record them one by one in order; the last position."""

    def record(happened: Iterable[tuple[UUID, Event]]) -> int:
        told = list(happened)
        versions = {stream: len(events) for stream, events in log.streams({stream for stream, _ in told}).items()}
        units = []
        for stream, event in told:
            version = versions.get(stream, 0)
            units.append(Unit(stream, version, [event]))
            versions[stream] = version + 1
        positions = log.append_all(units)
        assert all(isinstance(position, int) for position in positions), positions
        return log.last_position()

    return record


@pytest.fixture(scope="session")
def as_rows() -> AsRows:
    """as_rows([(stream, event), …]): as the log would give them, from position 1 on."""

    def rows(happened: Iterable[tuple[UUID, Event]]) -> list[tuple[Any, ...]]:
        versions: dict[UUID, int] = {}
        found = []
        for position, (stream, event) in enumerate(happened, 1):
            versions[stream] = versions.get(stream, 0) + 1
            found.append((position, stream.bytes, versions[stream], STORED_NAMES[type(event)], encode(event)))
        return found

    return rows


@pytest.fixture(scope="session")
def rows_of() -> RowsOf:
    """rows_of(connection, projection): everything in its tables, in one order, documents as text."""

    def rows(connection: Connection[Any], projection: Projection[Any]) -> list[Any]:
        found = []
        for table in projection.tables:
            query = f"select row(t.*)::text as row from {table} t order by 1"
            found.append((table, [row["row"] for row in connection.execute(query).fetchall()]))
        return found

    return rows


@pytest.fixture
def story() -> Story:
    """Tells what happened, event by event; `happened` is what to append."""
    return Story()


@pytest.fixture(scope="session")
def histories() -> st.SearchStrategy[Happened]:
    """Random logs, as (stream, event)."""
    return random_log()


@pytest.fixture
def shown(read_tables: Datastore, append: Append) -> Callable[[Story, LiteralString], list[Any]]:
    """shown(story, query): rows of a query when every projection has seen the story so far."""

    def show(story: Story, query: LiteralString) -> list[Any]:
        append(story.happened[story.appended :])
        story.appended = len(story.happened)
        project(read_tables)
        return rows(read_tables, query)

    return show


@pytest.fixture
def projected(read_tables: Datastore, append: Append, story: Story) -> Datastore:
    """A database with read tables of this release, in which X has started and everything is projected."""
    append(story.start(X).schedule(X).happened)
    project(read_tables)
    return read_tables
