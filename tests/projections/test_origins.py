"""A fact knows the origin of its execution, wherever its page of the log begins."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.agents.calls import StepError
from domain.event import record
from domain.executions.events.child import Parent
from domain.executions.events.execution import ExecutionFailed, ExecutionRetried, ExecutionStarted, Trigger
from domain.identity import new_id, process_id
from domain.processes.events import ProcessDrafted, ProcessPublished
from projections import origins
from projections.facts import Fact, read_facts
from projections.process_catalogue import ProcessCatalogue
from store.datastore import Datastore
from store.log import Log
from store.reading import connect, read_range
from store.unit import Unit
from tests.queries.shown import at

TOPICS = ["ExecutionStarted", "ExecutionFailed", "ExecutionRetried", "ProcessDrafted"]


@pytest.fixture
def log(datastore: Datastore) -> Iterator[Log]:
    with closing(Log(datastore)) as opened:
        for name, labels in (("p", ["nightly", "beta"]), ("q", [])):
            definition = {"name": name, "labels": labels, "steps": []}
            drafted = record(ProcessDrafted, at(0), name=name, source=name)
            published = record(ProcessPublished, at(0), name=name, version=1, source=name, definition=definition)
            opened.append(Unit(process_id(name), 0, [drafted, published]))
        yield opened


def run(log: Log, process: str = "p", parent: Parent | None = None) -> UUID:
    """Record an execution that fails and goes on."""
    id, of = new_id(), process_id(process)
    started = record(
        ExecutionStarted,
        at(0),
        process_id=of,
        process=process,
        version=1,
        input={},
        steps=1,
        trigger=Trigger("webhook"),
        parent=parent,
    )
    error = StepError("agent_error", "no")
    failed = record(ExecutionFailed, at(1), process_id=of, version=1, started_at=at(0).at, error=error)
    log.append(Unit(id, 0, [started, failed, record(ExecutionRetried, at(2), reason="why", steps=[])]))
    return id


def facts(connection: psycopg.Connection[Any], after: int, until: int) -> list[Fact]:
    return list(read_facts(read_range(connection, after, until, TOPICS), TOPICS, connection))


def test_the_origin_is_the_same_wherever_the_page_begins(datastore: Datastore, log: Log) -> None:
    root = run(log)
    child = run(log, "q", Parent(root, "call", 1, root, 1, [root]))
    end = log.last_position()
    expected = {
        root.bytes: origins.Origin(process_id("p").bytes, "p", 1, root.bytes, "webhook", None, ("nightly", "beta")),
        child.bytes: origins.Origin(
            process_id("q").bytes, "q", 1, root.bytes, "webhook", root.bytes, (), (root.bytes,)
        ),
    }
    for after in range(end):
        with closing(connect(datastore)) as connection:
            found = {
                fact.stream: fact.origin for fact in facts(connection, after, end) if fact.topic != "ProcessDrafted"
            }
        assert found == {stream: expected[stream] for stream in found}
        assert child.bytes in found


def test_a_page_reads_what_it_does_not_know_in_two_queries_and_then_in_none(datastore: Datastore, log: Log) -> None:
    for _ in range(20):
        run(log)
    end = log.last_position()
    queries: list[Any] = []

    class Counting(psycopg.Cursor[Any]):
        def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
            queries.append(query)
            return super().execute(query, *arguments, **options)

    with closing(connect(datastore)) as connection:
        retried = [row for row in read_range(connection, 0, end, TOPICS) if row[3] == "ExecutionRetried"]
        connection.cursor_factory = Counting
        assert len({fact.origin.root for fact in read_facts(retried, TOPICS, connection)}) == 20
        assert queries == [origins.FIRST, origins.PUBLISHED]
        assert len({fact.origin.root for fact in read_facts(retried, TOPICS, connection)}) == 20
        assert len(queries) == 2


def test_origins_that_were_forgotten_are_read_again(
    datastore: Datastore, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origins, "KEPT", 2)
    ids = [run(log) for _ in range(5)]
    with closing(connect(datastore)) as connection:
        for _ in range(2):
            found = facts(connection, 0, log.last_position())
            roots = {fact.origin.root for fact in found if fact.topic == "ExecutionRetried"}
            assert roots == {id.bytes for id in ids}


def test_what_is_no_execution_has_no_origin(datastore: Datastore, log: Log) -> None:
    with closing(connect(datastore)) as connection:
        drafted = facts(connection, 0, log.last_position())[0]
        with pytest.raises(LookupError):
            _ = drafted.origin
        unread = next(read_facts(read_range(connection, 0, log.last_position(), TOPICS), TOPICS))
        with pytest.raises(LookupError, match="without their origins"):
            _ = unread.origin


def test_an_execution_that_goes_on_is_counted_off_by_a_reader_that_did_not_meet_its_start(
    datastore: Datastore, log: Log
) -> None:
    run(log)
    end, catalogue = log.last_position(), ProcessCatalogue()
    with closing(connect(datastore)) as connection:
        catalogue.create(connection)
    for after, until in ((0, end - 1), (end - 1, end)):
        with closing(connect(datastore)) as connection, connection.transaction():
            catalogue.write(connection, catalogue.fold(facts(connection, after, until)))
    query = "select failed, started, last_execution_status from process_catalogue where name = 'p'"
    with closing(connect(datastore)) as connection:
        assert connection.execute(query).fetchone() == {
            "failed": 0,
            "started": 1,
            "last_execution_status": "running",
        }
