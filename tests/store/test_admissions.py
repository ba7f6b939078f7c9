"""Who runs and who waits of processes that limit how many run at once: moved by the append, read from the front."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.event import Cause, record
from domain.executions.events.execution import ExecutionAdmitted
from domain.executions.events.step import StepSkipped
from domain.executions.state.slot import Slot
from store import arrays
from store.datastore import BY_INDEX, Datastore
from store.lists import queues
from store.lists.queues import FURTHEST, OF_ALL, Admissible, Queue, SlotLine
from store.log import Log
from store.unit import Conflict, SlotsTaken, Unit

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:test", "cause", "correlation")
P, Q = UUID(int=1), UUID(int=2)
EVENT = record(StepSkipped, CAUSE, step="a", reason="condition_false")
QUEUED, RUNNING, LEFT = Slot(P, "queued"), Slot(P, "running"), Slot(P, "left")


def put(log: Log, place: Slot, count: int = 1) -> list[UUID]:
    ids = [uuid4() for _ in range(count)]
    outcomes = log.append_all([Unit(id, 0, [EVENT], slot=place) for id in ids])
    assert all(isinstance(outcome, int) for outcome in outcomes)
    return ids


def free(datastore: Datastore, limit: int | None = 100, most: int = 100, *, paused: bool = False) -> list[Queue]:
    """Return who may begin, in lines, where so many of each key may run."""
    with datastore.reading() as connection:
        waiting = [Admissible(id, limit, paused) for id, _ in queues.processes(connection)]
        return sorted(queues.queues(connection, waiting, most), key=lambda queue: (queue.process_id, queue.key))


def ranked(minutes: int, key: str = "", *, called: bool = False) -> Slot:
    return Slot(P, "queued", key, CAUSE.at + timedelta(minutes=minutes), called)


def test_those_who_wait_are_found_in_the_order_they_came(log: Log, datastore: Datastore) -> None:
    put(log, RUNNING, 2)
    waiting = put(log, QUEUED, 5) + put(log, QUEUED, 1)
    assert free(datastore) == [Queue(P, "", waiting)]
    assert free(datastore, most=3) == [Queue(P, "", waiting[:3])]


def test_no_more_are_found_than_have_a_slot(log: Log, datastore: Datastore) -> None:
    put(log, RUNNING, 2)
    waiting = put(log, QUEUED, 5)
    assert free(datastore, 4) == [Queue(P, "", waiting[:2])]
    assert free(datastore, 2) == free(datastore, 1) == []
    assert free(datastore, None) == [Queue(P, "", waiting)]


def test_those_of_a_higher_rank_come_first_and_of_one_rank_those_who_came_first(log: Log, datastore: Datastore) -> None:
    (late,), soon, (first,) = put(log, ranked(9)), put(log, ranked(5), 2), put(log, ranked(-5))
    assert free(datastore) == [Queue(P, "", [first, *soon, late])]
    with datastore.reading() as connection:
        places = [queues.position(connection, id) for id in (first, *soon, late, uuid4())]
    assert places == [1, 2, 3, 4, None]


def test_each_process_has_its_own_lines_and_none_that_nobody_waits_in(log: Log, datastore: Datastore) -> None:
    third = UUID(int=3)
    put(log, Slot(third, "running"), 4)
    second = put(log, Slot(Q, "queued"), 2)
    first = put(log, QUEUED)
    assert free(datastore) == [Queue(P, "", first), Queue(Q, "", second)]


def test_each_key_has_its_own_line_and_limit(log: Log, datastore: Datastore) -> None:
    put(log, Slot(P, "running", "full"), 2)
    put(log, ranked(0, "full"), 3)
    (half, *_), (empty, second, _) = put(log, ranked(0, "half"), 2), put(log, ranked(0, "empty"), 3)
    put(log, Slot(P, "running", "half"))
    assert free(datastore, 2) == [Queue(P, "empty", [empty, second]), Queue(P, "half", [half])]
    with datastore.reading() as connection:
        lines = queues.lines_of(connection, P, 2)
    assert lines == [SlotLine("full", 2, 3), SlotLine("empty", 0, 3)]


def test_during_a_pause_those_whom_another_execution_called_are_found_alone(log: Log, datastore: Datastore) -> None:
    put(log, ranked(0, "a"), 2)
    called = put(log, ranked(1, "a", called=True), 2)
    put(log, ranked(0, "b"))
    assert free(datastore, 1, paused=True) == [Queue(P, "a", called[:1])]
    log.append(Unit(called[0], 1, [EVENT], slot=Slot(P, "running", "a", called=True)))
    assert free(datastore, 1, paused=True) == []
    assert free(datastore, 2, paused=True) == [Queue(P, "a", called[1:])]


def test_whoever_is_admitted_or_leaves_moves_with_the_append(log: Log, datastore: Datastore) -> None:
    first, second, third = put(log, QUEUED, 3)
    log.append(Unit(first, 1, [EVENT], slot=RUNNING))
    assert free(datastore, 2) == [Queue(P, "", [second])]
    log.append_all([Unit(first, 2, [EVENT], slot=LEFT), Unit(second, 1, [EVENT], slot=LEFT)])
    assert free(datastore, 2) == [Queue(P, "", [third])]


def admission(execution: UUID, limit: int, key: str = "") -> Unit:
    return Unit(
        execution, 1, [record(ExecutionAdmitted, CAUSE, process_id=P, limit=limit)], slot=Slot(P, "running", key)
    )


def test_an_append_admits_nobody_beyond_the_limit_of_a_line(log: Log, datastore: Datastore) -> None:
    """As two workers do that read the line one after the other, with a higher rank between."""
    (read_first,) = put(log, ranked(0, "a"))
    (urgent,), (other,) = put(log, ranked(-5, "a")), put(log, ranked(0, "b"))
    log.append(admission(urgent, 1, "a"))
    with pytest.raises(SlotsTaken):
        log.append(admission(read_first, 1, "a"))
    assert log.stream(read_first) == [EVENT]
    log.append(admission(other, 1, "b"))
    log.append(admission(read_first, 2, "a"))
    assert free(datastore, 9) == []


def test_of_several_in_one_append_those_that_fit_begin(log: Log, datastore: Datastore) -> None:
    ids = put(log, QUEUED, 4)
    outcomes = log.append_all([admission(id, 2) for id in ids])
    assert [isinstance(outcome, SlotsTaken) for outcome in outcomes] == [False, False, True, True]
    assert free(datastore, 3) == [Queue(P, "", ids[2:3])]


def test_an_append_that_frees_a_slot_may_give_it_away(log: Log) -> None:
    (running,), (waiting,) = put(log, RUNNING), put(log, QUEUED)
    outcomes = log.append_all([Unit(running, 1, [EVENT], slot=LEFT), admission(waiting, 1)])
    assert all(isinstance(outcome, int) for outcome in outcomes)


def test_a_conflict_moves_nobody(log: Log, datastore: Datastore) -> None:
    (waiting,) = put(log, QUEUED)
    with pytest.raises(Conflict):
        log.append(Unit(waiting, 0, [EVENT], slot=RUNNING))
    assert free(datastore) == [Queue(P, "", [waiting])]


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
    assert free(datastore, 2) == [Queue(P, "", [waiting])]


def test_leaving_without_having_been_there_changes_nothing(log: Log, datastore: Datastore) -> None:
    put(log, LEFT)
    assert free(datastore) == []


def test_reading_what_may_begin_reads_neither_full_lines_nor_the_rest_of_one(datastore: Datastore) -> None:
    """Ten thousand keys wait, of which five have a slot; and one line is ten thousand long."""
    with datastore.connect(**BY_INDEX) as connection:
        fill = """insert into admissions (execution_id, process_id, key, running)
            select gen_random_uuid(), %s, {} from generate_series(1, 10000) n"""
        connection.execute(fill.format("n::text, true").encode(), (P,))
        connection.execute(fill.format("n::text, false").encode(), (P,))
        connection.execute("delete from admissions where running and key in ('7', '77', '777', '707', '7007')")
        connection.execute(fill.format("'', n <= 3").encode(), (Q,))
        connection.execute("analyze admissions")
        connection.execute("analyze slot_lines")
        given = {"processes": arrays.uuids([P, Q]), "limits": arrays.ints([1, 10]), "most": 200}
        explained = connection.execute(f"explain (analyze, format json) {OF_ALL}".encode(), given).fetchone()
        found = queues.queues(connection, [Admissible(P, 1), Admissible(Q, 10)], 200)
        furthest = connection.execute("select execution_id from admissions order by position desc limit 1").fetchone()
        assert furthest is not None
        place = queues.position(connection, furthest["execution_id"])
    assert {queue.key: len(queue.waiting) for queue in found} == {
        **dict.fromkeys(("7", "77", "777", "707", "7007"), 1),
        "": 7,
    }
    assert explained is not None
    assert 0 < read(explained["QUERY PLAN"][0]["Plan"]) < 100
    assert place == 9_997 < FURTHEST


TABLES = ("admissions", "slot_lines")


def read(node: dict[str, Any]) -> float:
    """How many rows a plan took from the table, over all its scans of it."""
    own = node["Actual Rows"] * node["Actual Loops"] if node.get("Relation Name") in TABLES else 0
    return own + sum(read(child) for child in node.get("Plans", []))


def test_the_notification_says_when_there_may_be_somebody_to_let_in(log: Log, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as listener:
        listener.execute("listen procession_log")
        (id,) = put(log, QUEUED)
        log.append(Unit(id, 1, [EVENT], slot=RUNNING))
        log.append(Unit(id, 2, [EVENT], slot=LEFT))
        heard = [notification.payload for notification in listener.notifies(timeout=60, stop_after=3)]
    assert heard == ["room", "", "room"]


def test_none_begins_before_one_of_its_line_that_was_refused(log: Log, datastore: Datastore) -> None:
    """Apart, the first ones may find the line full, and a slot may become free before the turn of the next."""
    put(log, RUNNING, 2)
    first, second, other = [put(log, Slot(P, "queued", key))[0] for key in ("", "", "b")]
    outcomes = log.append_all([admission(first, 2), admission(second, 3), admission(other, 1, "b")])
    assert [isinstance(outcome, SlotsTaken) for outcome in outcomes] == [True, True, False]
    assert free(datastore, 3) == [Queue(P, "", [first])]


def test_none_begins_before_one_of_its_line_that_an_earlier_append_refused(log: Log, datastore: Datastore) -> None:
    """The guard of one unit parts those before it from those behind."""
    put(log, RUNNING, 2)
    first, second = [put(log, QUEUED)[0] for _ in range(2)]
    before, guarded = uuid4(), uuid4()
    parting = [Unit(before, 0, [EVENT]), Unit(guarded, 0, [EVENT], guards=((before, 1),))]
    outcomes = log.append_all([admission(first, 2), *parting, admission(second, 3)])
    assert [isinstance(outcome, SlotsTaken) for outcome in outcomes] == [True, False, False, True]
    assert free(datastore, 3) == [Queue(P, "", [first])]
