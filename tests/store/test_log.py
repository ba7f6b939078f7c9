"""The log on a real server: versions, order without gaps, one transaction for everything a decision moves."""

import threading
import time
from collections import Counter
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.event import Cause, Event, record
from domain.executions.events.execution import ExecutionCancelled
from domain.executions.events.step import StepCompleted, StepScheduled, StepSkipped, StepStarted
from store.answers import find_answer
from store.datastore import Datastore
from store.log import Log
from store.unit import AnsweredStep, Conflict, KeyTaken, OutcomeUnknown, StreamChange, Unit
from tests.forking import FORKING
from tests.waiting import LIMIT_SECONDS

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:test", "cause", "correlation")


def skipped(step: str = "a") -> Event:
    return record(StepSkipped, CAUSE, step=step, reason="condition_false")


def due(datastore: Datastore) -> list[tuple[str, int, UUID | None]]:
    with datastore.reading() as connection:
        rows = connection.execute("select step, attempt, owner from due_steps order by step").fetchall()
    return [(row["step"], row["attempt"], row["owner"]) for row in rows]


def test_what_is_appended_is_read_back_in_order(log):
    stream = uuid4()
    first = log.append(Unit(stream, 0, [skipped("a"), skipped("b")]))
    second = log.append(Unit(stream, 2, [skipped("c")]))
    assert log.stream(stream) == [skipped("a"), skipped("b"), skipped("c")]
    assert (first, second) == (2, 3)
    assert [(r.position, r.version, r.topic) for r in log.page(0, 10)] == [
        (1, 1, "StepSkipped"),
        (2, 2, "StepSkipped"),
        (3, 3, "StepSkipped"),
    ]


def test_an_append_at_a_version_in_use_is_a_conflict_and_records_nothing(log):
    stream = uuid4()
    log.append(Unit(stream, 0, [skipped()]))
    with pytest.raises(Conflict):
        log.append(Unit(stream, 0, [skipped()]))
    assert len(log.stream(stream)) == 1


def test_in_a_batch_only_the_one_that_conflicts_is_left_out(log):
    taken, free = uuid4(), uuid4()
    log.append(Unit(taken, 0, [skipped()]))
    units = [Unit(free, 0, [skipped(), skipped()]), Unit(taken, 0, [skipped()]), Unit(uuid4(), 0, [skipped()])]
    outcomes = log.append_all(units)
    assert isinstance(outcomes[1], Conflict)
    assert log.page(outcomes[0] - 1, 1)[0].stream == free
    assert len(log.stream(free)) == 2


def test_each_unit_of_a_batch_is_told_the_position_of_its_last_event(log):
    streams = [uuid4() for _ in range(5)]
    outcomes = log.append_all([Unit(s, 0, [skipped()] * (n + 1)) for n, s in enumerate(streams)])
    for stream, position in zip(streams, outcomes, strict=True):
        assert log.page(position - 1, 1)[0].stream == stream
        assert log.stream_page(stream)[-1].position == position


def test_a_decision_that_rests_on_a_stream_that_moved_on_is_a_conflict(log):
    process = uuid4()
    log.append(Unit(process, 0, [skipped()]))
    log.append(Unit(uuid4(), 0, [skipped()], guards=((process, 1),)))
    log.append(Unit(process, 1, [skipped()]))
    with pytest.raises(Conflict):
        log.append(Unit(uuid4(), 0, [skipped()], guards=((process, 1),)))


def test_a_decision_that_rests_on_a_version_that_is_missing_is_a_conflict(log):
    process, started = uuid4(), uuid4()
    log.append(Unit(process, 0, [skipped()]))
    with pytest.raises(Conflict, match="no event of the version"):
        log.append(Unit(started, 0, [skipped()], guards=((process, 2),)))
    assert log.stream(started) == []


def test_a_unit_of_several_streams_is_recorded_in_its_order_with_one_answer(log, datastore):
    claim, publication = uuid4(), uuid4()
    log.append(Unit(claim, 0, [skipped("a")]))
    unit = Unit(
        publication,
        0,
        [skipped("c"), skipped("d")],
        before=(StreamChange(claim, 1, [skipped("b")]),),
        answered=AnsweredStep("key", b"digest", b"{}"),
    )
    alone, together = log.append_all([Unit(uuid4(), 0, [skipped()]), unit])
    assert together == alone + 3 == log.last_position()
    assert [event.stream for event in log.page(alone, 10)] == [claim, publication, publication]
    assert find_answer(datastore, "key").position == together


def test_a_unit_of_several_streams_is_recorded_whole_or_not_at_all(log):
    claim, publication, other = uuid4(), uuid4(), uuid4()
    log.append(Unit(claim, 0, [skipped(), skipped()]))
    late = Unit(publication, 0, [skipped()], before=(StreamChange(claim, 1, [skipped()]),))
    outcomes = log.append_all([late, Unit(other, 0, [skipped()])])
    assert [isinstance(outcome, Conflict) for outcome in outcomes] == [True, False]
    assert (len(log.stream(claim)), len(log.stream(publication)), len(log.stream(other))) == (2, 0, 1)


def test_changes_of_a_unit_move_the_lists_each_for_its_own_worker(log):
    first, second, worker = uuid4(), uuid4(), uuid4()
    scheduled = record(StepScheduled, CAUSE, step="a", attempt=1, agent="x", message="m")
    started = record(StepStarted, CAUSE, step="a", attempt=1)
    log.append(Unit(second, 0, [scheduled], before=(StreamChange(first, 0, [scheduled, started], owner=worker),)))
    with log.datastore.reading() as connection:
        rows = connection.execute("select execution_id, owner from due_steps").fetchall()
    assert {row["execution_id"]: row["owner"] for row in rows} == {first: worker, second: None}


def test_what_rests_on_a_stream_of_another_unit_of_the_batch_comes_after_it(log):
    claim, publication = uuid4(), uuid4()
    unit = Unit(publication, 0, [skipped()], before=(StreamChange(claim, 0, [skipped()]),))
    outcomes = log.append_all([unit, Unit(uuid4(), 0, [skipped()], guards=((claim, 1),))])
    assert [isinstance(outcome, Conflict) for outcome in outcomes] == [False, False]


def test_of_two_decisions_in_one_append_that_rest_on_one_another_s_streams_the_first_one_holds(log):
    left, right = uuid4(), uuid4()
    log.append_all([Unit(left, 0, [skipped()]), Unit(right, 0, [skipped()])])
    outcomes = log.append_all(
        [
            Unit(left, 1, [skipped()], guards=((right, 1),)),
            Unit(uuid4(), 0, [skipped()]),
            Unit(right, 1, [skipped()], guards=((left, 1),)),
            Unit(uuid4(), 0, [skipped()], guards=((right, 1), (left, 2))),
        ]
    )
    assert [isinstance(outcome, Conflict) for outcome in outcomes] == [False, False, True, False]
    assert (len(log.stream(left)), len(log.stream(right))) == (2, 1)


def test_the_to_do_list_moves_with_the_events(log, datastore):
    stream, worker = uuid4(), uuid4()
    scheduled = record(StepScheduled, CAUSE, step="a", attempt=1, agent="x", message="m")
    log.append(Unit(stream, 0, [scheduled]))
    assert due(datastore) == [("a", 1, None)]
    done = record(StepCompleted, CAUSE, step="a", attempt=1, output=1, started_at=CAUSE.at)
    following = record(StepScheduled, CAUSE, step="b", attempt=1, agent="x", message="m")
    taken = record(StepStarted, CAUSE, step="b", attempt=1)
    log.append(Unit(stream, 1, [done, following, taken], owner=worker))
    assert due(datastore) == [("b", 1, worker)]


def test_an_append_that_fails_leaves_the_to_do_list_as_it_was(log, datastore):
    stream = uuid4()
    scheduled = record(StepScheduled, CAUSE, step="a", attempt=1, agent="x", message="m")
    log.append(Unit(stream, 0, [scheduled]))
    with pytest.raises(Conflict):
        log.append(Unit(stream, 0, [record(StepCompleted, CAUSE, step="a", attempt=1, output=1, started_at=CAUSE.at)]))
    assert due(datastore) == [("a", 1, None)]


def test_a_key_is_answered_in_the_same_append_and_used_once(log, datastore):
    answered = AnsweredStep("key", b"digest", b"{}")
    position = log.append(Unit(uuid4(), 0, [skipped(), skipped()], answered=answered))
    found = find_answer(datastore, "key")
    assert found is not None
    assert (found.fingerprint, found.answer, found.position) == (b"digest", b"{}", position)
    stream = uuid4()
    with pytest.raises(KeyTaken):
        log.append(Unit(stream, 0, [skipped()], answered=answered))
    assert log.stream(stream) == []


def test_a_key_is_kept_even_when_nothing_was_recorded(log, datastore):
    position = log.append(Unit(uuid4(), 0, [skipped()]))
    assert log.append(Unit(uuid4(), 0, [], answered=AnsweredStep("key", b"d", b"{}"))) == position
    assert find_answer(datastore, "key") is not None


def test_concurrent_appends_share_transactions_and_none_is_lost(log):
    streams = [uuid4() for _ in range(200)]
    threads = [threading.Thread(target=lambda s=s: log.append(Unit(s, 0, [skipped()]))) for s in streams]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {r.stream for r in log.page(0, 1000)} == set(streams)


def test_a_lost_connection_leaves_the_outcome_unknown_and_the_next_append_works(log, datastore):
    log.append(Unit(uuid4(), 0, [skipped()]))
    with datastore.reading() as connection:
        connection.execute(
            """select pg_terminate_backend(pid, 10000) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()"""
        )
    with pytest.raises(OutcomeUnknown):
        log.append(Unit(uuid4(), 0, [skipped()]))
    assert log.append(Unit(uuid4(), 0, [skipped()])) > 0


def test_the_librarys_own_recorder_reads_and_writes_the_same_log(log):
    from store.mapper import EventMapper, Recorded

    mapper, stream = EventMapper(), uuid4()
    ours = Recorded(0, stream, 1, "StepSkipped", skipped("a"))
    ids = log.recorder.insert_events([mapper.to_stored_event(ours)])
    assert ids is not None
    assert log.stream(stream) == [skipped("a")]
    log.append(Unit(stream, 1, [skipped("b")]))
    notifications = log.recorder.select_notifications(ids[0], 10)
    assert [mapper.to_domain_event(n).event for n in notifications] == [skipped("a"), skipped("b")]
    assert [mapper.to_domain_event(e).event for e in log.recorder.select_events(stream)] == [skipped("a"), skipped("b")]


WRITERS, APPENDS = 8, 150


def write(dsn: str, writer: int) -> None:
    """One writing process: batches of its own streams, sizes varied."""
    datastore = Datastore(dsn, pool_size=2)
    log = Log(datastore)
    for n in range(APPENDS):
        log.append(Unit(UUID(int=writer * 1000 + n), 0, [skipped(str(writer))] * (1 + n % 4)))
    log.close()
    datastore.close()


def test_a_tailing_reader_misses_nothing_of_eight_writing_processes_with_a_vacuum_in_the_middle(dsn, datastore, log):
    # All of them are forks of one process that has imported what they need.
    writers = [FORKING.Process(target=write, args=(dsn, writer)) for writer in range(WRITERS)]
    for writer in writers:
        writer.start()
    expected = WRITERS * sum(1 + n % 4 for n in range(APPENDS))
    seen: list[int] = []
    vacuumed = 0
    deadline, pause = time.monotonic() + LIMIT_SECONDS, threading.Event()
    while len(seen) < expected and time.monotonic() < deadline:
        page = log.page(seen[-1] if seen else 0, 37)
        if not page:
            pause.wait(0.005)
        seen += [r.position for r in page]
        if len(seen) > expected * (vacuumed + 1) / 4:
            vacuumed += 1
            with datastore.reading() as connection:
                connection.execute("vacuum stored_events")
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert vacuumed >= 3
    assert len(seen) == expected
    assert seen == sorted(set(seen))
    assert Counter(r.event.step for r in log.page(0, 10_000)) == {str(w): expected // WRITERS for w in range(WRITERS)}


def test_migrating_again_changes_nothing_and_an_edited_migration_is_noticed(dsn):
    from store.migrating import MigrationChanged, migrate, pending

    assert migrate(dsn) == []
    assert pending(dsn) == []
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("update schema_migrations set digest = 'other' where number = 1")
    with pytest.raises(MigrationChanged):
        migrate(dsn)


def test_an_execution_ended_elsewhere_is_noticed_by_its_version(log):
    stream = uuid4()
    log.append(Unit(stream, 0, [skipped()]))
    facts = {"process_id": uuid4(), "version": 1, "started_at": CAUSE.at, "reason": "r"}
    log.append(Unit(stream, 1, [record(ExecutionCancelled, CAUSE, **facts)]))
    with pytest.raises(Conflict):
        log.append(Unit(stream, 1, [skipped()]))
