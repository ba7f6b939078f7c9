"""Messages between executions: moved by the append, taken in hand in their order by one worker at a time."""

import threading
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
from psycopg import Connection

from domain.agents.calls import StepError
from domain.event import Cause, Event, record
from domain.executions.events.child import Parent, SubProcessClosed, SubProcessStarted
from domain.executions.events.execution import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionStarted,
)
from domain.executions.events.messages import recipient_of
from domain.executions.events.step import StepSkipped
from store.datastore import Datastore
from store.lists import outbox, trees
from store.lists.outbox import ClaimedMessages, Message
from store.log import Log
from store.sizes import FULL_PAGE
from store.unit import Conflict, Unit

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:test", "cause", "correlation")
PROCESS, PARENT, CHILD, OTHER, WORKER = (UUID(int=n) for n in range(1, 6))
OVER = {"process_id": PROCESS, "version": 1, "started_at": CAUSE.at}


def skipped() -> Event:
    return record(StepSkipped, CAUSE, step="a", reason="condition_false")


def calls(child: UUID = CHILD, attempt: int = 1) -> Event:
    facts = {"process_id": PROCESS, "process": "p", "version": 1, "input": {}, "depth": 1}
    path = [PARENT]
    return record(SubProcessStarted, CAUSE, step="a", attempt=attempt, child=child, root=PARENT, path=path, **facts)


def closes(child: UUID = CHILD) -> Event:
    return record(SubProcessClosed, CAUSE, step="a", attempt=1, child=child, reason="step_timed_out")


def begins(root: UUID = PARENT, parent: UUID = PARENT) -> Event:
    above = Parent(parent, "a", 1, root, 1, [root])
    return record(ExecutionStarted, CAUSE, process_id=PROCESS, process="p", version=1, input={}, steps=1, parent=above)


def completes(reports_to: UUID | None = PARENT) -> Event:
    return record(ExecutionCompleted, CAUSE, **OVER, outputs={}, reports_to=reports_to)


def rows(datastore: Datastore) -> list[tuple[UUID, int, UUID, bool]]:
    query = """select source, version, recipient, claimed_until is not null as in_hand from outbox
    order by source, version"""
    with datastore.reading() as connection:
        return [tuple(row.values()) for row in connection.execute(query).fetchall()]


def claim(datastore: Datastore, limit: int = 100) -> ClaimedMessages:
    with datastore.reading() as connection:
        return outbox.claim(connection, limit)


def run(datastore: Datastore, query: str, *parameters: Any) -> None:
    with datastore.reading() as connection:
        connection.execute(query, parameters)


def test_only_what_concerns_another_execution_has_a_recipient() -> None:
    failed = record(ExecutionFailed, CAUSE, **OVER, error=StepError("x", "y"), reports_to=OTHER)
    cancelled = record(ExecutionCancelled, CAUSE, **OVER, reason="r", reports_to=OTHER)
    assert [recipient_of(event) for event in (calls(), closes(), completes(OTHER), failed, cancelled)] == [
        CHILD,
        CHILD,
        OTHER,
        OTHER,
        OTHER,
    ]
    assert [recipient_of(event) for event in (completes(None), skipped(), begins())] == [None] * 3


def test_an_append_sends_what_its_events_ask_of_others(log: Log, datastore: Datastore) -> None:
    log.append(Unit(PARENT, 0, [skipped(), calls(), closes(), completes(None)]))
    log.append(Unit(OTHER, 0, [completes(PARENT)]))
    assert rows(datastore) == [(PARENT, 2, CHILD, False), (PARENT, 3, CHILD, False), (OTHER, 1, PARENT, False)]


def test_what_a_worker_appends_it_has_in_hand(log: Log, datastore: Datastore) -> None:
    log.append(Unit(PARENT, 0, [calls()], owner=WORKER))
    assert rows(datastore) == [(PARENT, 1, CHILD, True)]
    assert claim(datastore) == []


def test_the_answer_removes_the_message_it_answers(log: Log, datastore: Datastore) -> None:
    log.append(Unit(PARENT, 0, [calls(), calls(OTHER)]))
    log.append(Unit(CHILD, 0, [begins()], handled=[(PARENT, 1)]))
    assert rows(datastore) == [(PARENT, 2, OTHER, False)]


def test_what_is_asked_and_answered_in_one_append_leaves_nothing(log: Log, datastore: Datastore) -> None:
    units = [Unit(PARENT, 0, [calls()], owner=WORKER), Unit(CHILD, 0, [begins()], handled=[(PARENT, 1)])]
    assert log.append_all(units) == [1, 2]
    assert rows(datastore) == []


def test_a_conflict_moves_nothing(log: Log, datastore: Datastore) -> None:
    log.append(Unit(PARENT, 0, [calls()]))
    with pytest.raises(Conflict):
        log.append(Unit(PARENT, 0, [calls(OTHER)], handled=[(PARENT, 1)]))
    with pytest.raises(Conflict):
        log.append(Unit(PARENT, 0, [begins(OTHER)], handled=[(PARENT, 1)]))
    assert rows(datastore) == [(PARENT, 1, CHILD, False)]
    with datastore.reading() as connection:
        assert trees.descendants(connection, [OTHER]) == {OTHER: 0}


def test_a_message_is_answered_once(log: Log, datastore: Datastore) -> None:
    log.append(Unit(PARENT, 0, [calls()]))
    log.append(Unit(CHILD, 0, [begins()], handled=[(PARENT, 1)]))
    with pytest.raises(Conflict):
        log.append(Unit(CHILD, 1, [skipped()], handled=[(PARENT, 1)]))
    assert len(log.stream(CHILD)) == 1


def test_no_answer_is_recorded_to_a_message_that_was_not(log: Log, datastore: Datastore) -> None:
    log.append(Unit(PARENT, 0, [skipped()]))
    late, answer = Unit(PARENT, 0, [calls()], owner=WORKER), Unit(CHILD, 0, [begins()], handled=[(PARENT, 1)])
    assert [type(outcome) for outcome in log.append_all([late, answer])] == [Conflict, Conflict]
    assert log.stream(CHILD) == []


def test_messages_are_taken_in_hand_oldest_first_with_what_they_say(log: Log, datastore: Datastore) -> None:
    log.append(Unit(PARENT, 0, [skipped(), calls()]))
    log.append(Unit(OTHER, 0, [completes()]))
    run(datastore, "update outbox set due_at = due_at + interval '1 hour' where source = %s", PARENT)
    assert claim(datastore, 1) == [Message(OTHER, 1, PARENT, completes())]
    assert [message.key for message in claim(datastore)] == [(PARENT, 2)]
    assert claim(datastore) == []


def test_a_claim_ends_with_the_message_that_makes_the_page_full(log: Log, datastore: Datastore) -> None:
    large = {"text": "x" * (FULL_PAGE // 4)}
    for version in range(6):
        log.append(Unit(PARENT, version, [msgspec.structs.replace(calls(uuid4()), input=large)]))
    log.append(Unit(PARENT, 6, [calls(OTHER)]))
    first, second, third = claim(datastore), claim(datastore), claim(datastore)
    assert [message.version for message in first] == [1, 2, 3, 4]
    assert [message.version for message in second] == [5, 6, 7]
    assert (first.more, second.more, list(third)) == (True, False, [])


def test_a_message_that_a_worker_did_not_get_round_to_can_be_had_again(log: Log, datastore: Datastore) -> None:
    log.append(Unit(PARENT, 0, [calls(), calls(OTHER)]))
    first, second = claim(datastore)
    with datastore.reading() as connection:
        outbox.release(connection, [first.key])
    assert claim(datastore) == [first]
    run(datastore, "update outbox set claimed_until = now() - interval '1 s' where version = %s", second.version)
    assert claim(datastore) == [second]


def test_what_is_struck_off_is_gone_and_may_have_gone_before(log: Log, datastore: Datastore) -> None:
    log.append(Unit(PARENT, 0, [calls(), closes()]))
    for _ in range(2):
        with datastore.reading() as connection:
            outbox.drop(connection, [(PARENT, 1)])
    assert rows(datastore) == [(PARENT, 2, CHILD, False)]


def test_none_overtakes_an_older_one_to_the_same_recipient(log: Log, datastore: Datastore) -> None:
    log.append(Unit(PARENT, 0, [calls(), calls(OTHER), closes(), closes(OTHER)]))
    (begun,) = claim(datastore, 1)
    assert begun.key == (PARENT, 1)
    assert [message.key for message in claim(datastore)] == [(PARENT, 2), (PARENT, 4)]
    with datastore.reading() as connection:
        outbox.drop(connection, [begun.key])
    assert [message.key for message in claim(datastore)] == [(PARENT, 3)]


def test_none_overtakes_an_older_one_that_was_not_taken_along(log: Log, datastore: Datastore) -> None:
    log.append(Unit(PARENT, 0, [calls(), closes()]))
    run(datastore, "update outbox set due_at = due_at - interval '1 hour' where version = 2")
    assert claim(datastore, 1) == []
    assert [message.version for message in claim(datastore, 2)] == [1, 2]


def test_none_overtakes_an_older_one_that_another_is_just_taking(log: Log, datastore: Datastore) -> None:
    log.append(Unit(PARENT, 0, [calls(), calls(OTHER), closes()]))
    with datastore.reading() as first, first.transaction():
        assert [message.key for message in outbox.claim(first, 1)] == [(PARENT, 1)]
        assert [message.key for message in claim(datastore)] == [(PARENT, 2)]


def test_each_message_is_taken_by_one_of_many(log: Log, datastore: Datastore, dsn: str) -> None:
    children = [uuid4() for _ in range(300)]
    log.append(Unit(PARENT, 0, [calls(child) for child in children]))
    taken: list[Message] = []

    def take(connection: Connection[Any]) -> None:
        while found := outbox.claim(connection, 7):
            taken.extend(found)

    connections = [datastore.connect() for _ in range(4)]
    threads = [threading.Thread(target=take, args=(connection,)) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for connection in connections:
        connection.close()
    assert sorted(message.version for message in taken) == list(range(1, 301))


def test_a_family_counts_all_who_have_the_same_root(log: Log, datastore: Datastore) -> None:
    log.append(Unit(CHILD, 0, [begins()]))
    log.append_all([Unit(uuid4(), 0, [begins(parent=CHILD)]) for _ in range(3)] + [Unit(uuid4(), 0, [begins(OTHER)])])
    with datastore.reading() as connection:
        assert trees.descendants(connection, [PARENT, OTHER, CHILD]) == {PARENT: 4, OTHER: 1, CHILD: 0}


def test_the_notification_says_when_a_message_waits_for_a_worker(log: Log, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as listener:
        listener.execute("listen procession_log")
        log.append(Unit(PARENT, 0, [calls()], owner=WORKER))
        log.append(Unit(CHILD, 0, [begins()], handled=[(PARENT, 1)]))
        log.append(Unit(PARENT, 1, [closes()]))
        heard = [notification.payload for notification in listener.notifies(timeout=60, stop_after=3)]
    assert heard == ["", "", "message"]


def test_the_notification_says_when_a_message_need_no_longer_wait_for_one_before_it(log: Log, dsn: str) -> None:
    log.append(Unit(PARENT, 0, [calls()], owner=WORKER))
    log.append(Unit(PARENT, 1, [closes(), closes(OTHER)]))
    with psycopg.connect(dsn, autocommit=True) as listener:
        listener.execute("listen procession_log")
        log.append(Unit(CHILD, 0, [begins()], handled=[(PARENT, 1)]))
        log.append(Unit(CHILD, 1, [completes(None)], handled=[(PARENT, 2)]))
        heard = [notification.payload for notification in listener.notifies(timeout=60, stop_after=2)]
    assert heard == ["message", ""]


def test_striking_off_one_tells_that_the_next_can_be_had(log: Log, datastore: Datastore, dsn: str) -> None:
    log.append(Unit(PARENT, 0, [calls(), closes()]))
    with psycopg.connect(dsn, autocommit=True) as listener, datastore.reading() as connection:
        listener.execute("listen procession_log")
        outbox.drop(connection, [(PARENT, 1)])
        outbox.drop(connection, [(PARENT, 2)])
        log.append(Unit(OTHER, 0, [skipped()]))
        heard = [notification.payload for notification in listener.notifies(timeout=60, stop_after=2)]
    assert heard == ["message", ""]


def test_a_message_of_a_newer_release_is_left_to_others(
    log: Log, datastore: Datastore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING")
    log.append(Unit(PARENT, 0, [calls(), calls(OTHER)]))
    run(datastore, "update stored_events set topic = 'SubProcessImagined' where originator_version = 1")
    assert [message.version for message in claim(datastore)] == [2]
    assert "position 1 cannot be read" in caplog.text
    assert [version for _, version, _, _ in rows(datastore)] == [1, 2]
