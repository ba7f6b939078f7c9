"""Who runs and who waits of processes that limit how many run at once: moved by the append, read from the front."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.event import Cause, record
from domain.executions.events.step import StepSkipped
from domain.executions.state.slot import Slot
from store.datastore import Datastore
from store.lists import slots
from store.lists.slots import Queue
from store.log import Log
from store.unit import Conflict, Unit

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:test", "cause", "correlation")
P, Q = UUID(int=1), UUID(int=2)
EVENT = record(StepSkipped, CAUSE, step="a", reason="condition_false")
QUEUED, RUNNING, LEFT = Slot(P, "queued"), Slot(P, "running"), Slot(P, "left")


def put(log: Log, place: Slot, count: int = 1) -> list[UUID]:
    ids = [uuid4() for _ in range(count)]
    outcomes = log.append_all([Unit(id, 0, [EVENT], slot=place) for id in ids])
    assert all(isinstance(outcome, int) for outcome in outcomes)
    return ids


def room(datastore: Datastore, limit: int = 100) -> list[Queue]:
    with datastore.reading() as connection:
        return slots.queues(connection, limit)


def test_those_who_wait_are_found_in_the_order_they_came(log: Log, datastore: Datastore) -> None:
    put(log, RUNNING, 2)
    waiting = put(log, QUEUED, 5) + put(log, QUEUED, 1)
    assert room(datastore) == [Queue(P, 2, waiting)]
    assert room(datastore, 3) == [Queue(P, 2, waiting[:3])]


def test_each_process_has_its_own_queue_and_none_that_nobody_waits_for(log: Log, datastore: Datastore) -> None:
    third = UUID(int=3)
    put(log, Slot(third, "running"), 4)
    second = put(log, Slot(Q, "queued"), 2)
    first = put(log, QUEUED)
    assert room(datastore) == [Queue(P, 0, first), Queue(Q, 0, second)]


def test_whoever_is_admitted_or_leaves_moves_with_the_append(log: Log, datastore: Datastore) -> None:
    first, second, third = put(log, QUEUED, 3)
    log.append(Unit(first, 1, [EVENT], slot=RUNNING))
    assert room(datastore) == [Queue(P, 1, [second, third])]
    log.append_all([Unit(first, 2, [EVENT], slot=LEFT), Unit(second, 1, [EVENT], slot=LEFT)])
    assert room(datastore) == [Queue(P, 0, [third])]


def test_a_conflict_moves_nobody(log: Log, datastore: Datastore) -> None:
    (waiting,) = put(log, QUEUED)
    with pytest.raises(Conflict):
        log.append(Unit(waiting, 0, [EVENT], slot=RUNNING))
    assert room(datastore) == [Queue(P, 0, [waiting])]


def test_of_several_moves_in_one_append_the_last_counts(log: Log, datastore: Datastore) -> None:
    (waiting,) = put(log, QUEUED)
    passing, through = uuid4(), uuid4()
    log.append_all(
        [
            Unit(passing, 0, [EVENT], slot=QUEUED),
            Unit(through, 0, [EVENT], slot=QUEUED),
            Unit(passing, 1, [EVENT], slot=RUNNING),
            Unit(through, 1, [EVENT], slot=LEFT),
        ]
    )
    assert room(datastore) == [Queue(P, 1, [waiting])]


def test_leaving_without_having_been_there_changes_nothing(log: Log, datastore: Datastore) -> None:
    put(log, LEFT)
    assert room(datastore) == []


def test_reading_the_front_of_a_queue_does_not_read_the_rest_of_it(datastore: Datastore) -> None:
    with datastore.reading() as connection:
        connection.execute(
            """insert into admissions (execution_id, process_id, running)
            select gen_random_uuid(), case when n %% 2 = 0 then %s else %s end::uuid, n %% 100 = 0
            from generate_series(1, 20000) n""",
            (P, Q),
        )
        connection.execute("analyze admissions")
        explained = connection.execute(f"explain (analyze, format json) {slots.WAITING}", (10,)).fetchone()
    assert explained is not None
    assert read(explained["QUERY PLAN"][0]["Plan"]) < 1_000


def read(node: dict[str, Any]) -> float:
    """How many rows a plan took from the table, over all its scans of it."""
    own = node["Actual Rows"] * node["Actual Loops"] if node.get("Relation Name") == "admissions" else 0
    return own + sum(read(child) for child in node.get("Plans", []))


def test_the_notification_says_when_there_may_be_somebody_to_let_in(log: Log, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as listener:
        listener.execute("listen procession_log")
        (id,) = put(log, QUEUED)
        log.append(Unit(id, 1, [EVENT], slot=RUNNING))
        log.append(Unit(id, 2, [EVENT], slot=LEFT))
        heard = [notification.payload for notification in listener.notifies(timeout=60, stop_after=3)]
    assert heard == ["room", "", "room"]
