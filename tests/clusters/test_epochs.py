"""A server takes over: a process drops what it has read, and refuses what rests on it, and servers of older epochs."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from domain.event import Cause, record
from domain.executions.events.step import StepSkipped
from store.datastore import Datastore
from store.epochs import EpochRefused
from store.log import Log
from store.unit import Conflict, EpochOver, Unit
from tests.clusters.node import Node, both
from tests.waiting import until

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:test")


def skipped(step: str = "a") -> StepSkipped:
    return record(StepSkipped, CAUSE, step=step, reason="condition_false")


class Kept:
    def __init__(self) -> None:
        self.forgotten = 0

    def forget_all(self) -> None:
        self.forgotten += 1


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as ending:
        yield ending


def log_on(stack: ExitStack, dsn: str) -> Log:
    datastore = stack.enter_context(closing(Datastore(dsn, pool_size=2)))
    return stack.enter_context(closing(Log(datastore)))


def test_what_rests_on_lost_events_is_refused_though_others_have_their_numbers(
    primary: Node, standby: Node, stack: ExitStack
) -> None:
    log, kept, stream = log_on(stack, both(primary, standby)), Kept(), uuid4()
    log.datastore.epochs.subscribe(kept.forget_all)
    held = log.append(Unit(stream, 0, [skipped()] * 3))
    first = log.datastore.epochs.current
    assert first is not None
    standby.cut_off(primary)
    lost = log.append(Unit(stream, 3, [skipped("lost")]))
    kept_before = kept.forgotten
    standby.take_over(primary)

    # Another process gives the number of the lost event to another one.
    other = log_on(stack, standby.dsn)
    assert other.append(Unit(stream, 3, [skipped("other")])) > held
    resting = Unit(stream, 4, [skipped("on the lost one")], epoch=first.epoch_id)
    until(lambda: not isinstance(log.append_all([resting])[0], Conflict) or log.datastore.epochs.current != first)
    assert isinstance(log.append_all([resting])[0], EpochOver)
    assert [event.step for event in log.stream(stream)] == ["a", "a", "a", "other"]  # type: ignore[attr-defined]

    epochs, second = log.datastore.epochs, log.datastore.epochs.current
    assert second is not None
    assert (second.number, second.begins_at, second.timeline) == (2, held, 2)
    assert second.system_identifier == first.system_identifier
    assert kept.forgotten > kept_before
    assert epochs.holds(first.epoch_id, held)
    assert not epochs.holds(first.epoch_id, lost)
    assert epochs.holds(second.epoch_id, lost)


def test_a_decision_that_began_before_the_failover_is_taken_again(
    primary: Node, standby: Node, stack: ExitStack
) -> None:
    log, stream = log_on(stack, both(primary, standby)), uuid4()
    log.append(Unit(stream, 0, [skipped()]))
    standby.await_replay(primary)
    with log.deciding():
        version = len(log.stream(stream))
        take_over_streaming(primary, standby)
        meet(log)
        with pytest.raises(EpochOver):
            log.append(Unit(stream, version, [skipped()]))
    with log.deciding():
        assert log.append(Unit(stream, version, [skipped()])) > 0


def test_an_old_primary_that_comes_back_records_nothing(primary: Node, standby: Node, stack: ExitStack) -> None:
    log = log_on(stack, both(primary, standby))
    log.append(Unit(uuid4(), 0, [skipped()]))
    standby.cut_off(primary)
    standby.take_over(primary)
    meet(log)
    assert log.append(Unit(uuid4(), 0, [skipped()])) > 0
    primary.start()  # nobody fenced it, and its address comes first
    log.close()
    with pytest.raises(EpochRefused):
        log.datastore.connect()
    refused = 0
    for _ in range(12):
        refused += not isinstance(log.append_all([Unit(uuid4(), 0, [skipped()])])[0], int)
    assert refused == 12
    assert primary.rows("select count(*) from stored_events") == [(1,)]
    trouble = log.datastore.trouble()
    assert trouble is not None
    assert trouble.code == "older_server"
    primary.stop()
    until(lambda: isinstance(log.append_all([Unit(uuid4(), 0, [skipped()])])[0], int))


def test_a_connection_to_an_old_primary_that_lives_on_is_given_up(
    primary: Node, standby: Node, stack: ExitStack
) -> None:
    """The process learns of the epoch by another connection; the one that appends, and the pool's, are still open."""
    log = log_on(stack, both(standby, primary))
    log.append(Unit(uuid4(), 0, [skipped()]))
    standby.await_replay(primary)
    with log.datastore.reading() as connection:
        assert not log.datastore.epochs.over(connection)
    standby.promote()
    meet(log)
    assert log.append(Unit(uuid4(), 0, [skipped()])) > 0
    with log.datastore.reading() as connection:
        assert connection.execute("select count(*) as n from stored_events").fetchone() == {"n": 2}
    assert primary.rows("select count(*) from stored_events") == [(1,)]


def test_an_append_through_a_connection_that_leads_elsewhere_now_is_refused(
    primary: Node, standby: Node, stack: ExitStack
) -> None:
    """As through a proxy that keeps the connections of its clients: nothing new is connected, and the server is new."""
    log = log_on(stack, primary.dsn)
    log.append(Unit(uuid4(), 0, [skipped()]))
    epoch = log.datastore.epochs.current
    assert epoch is not None
    standby.await_replay(primary)
    standby.promote()
    statement = (
        "select append_events_v3(%s, %s, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')"
    )
    with psycopg.connect(standby.dsn, autocommit=True) as connection:
        with pytest.raises(psycopg.DatabaseError) as refused:
            connection.execute(statement, (epoch.epoch_id, "00000001"))
        assert refused.value.sqlstate == "PR004"
        assert connection.execute(statement, (epoch.epoch_id, "00000002")).fetchone() == (1,)


def test_a_replica_that_does_not_follow_the_new_primary_answers_no_query(
    primary: Node, standby: Node, stack: ExitStack
) -> None:
    log = log_on(stack, both(primary, standby))
    log.append(Unit(uuid4(), 0, [skipped()]))
    standby.await_replay(primary)
    replica = stack.enter_context(closing(Datastore(primary.dsn, pool_size=1, primary=log.datastore.epochs)))
    with replica.reading() as connection:
        assert connection.execute("select count(*) as n from stored_events").fetchone() == {"n": 1}
    standby.promote()
    primary.set(default_transaction_read_only="on")  # so that the address that names both leads to the other
    log.close()
    meet(log)
    with pytest.raises(EpochRefused):
        replica.connect()


def meet(log: Log) -> None:
    """Return once this process has met the server that took over."""
    until(lambda: connected(log) and len(log.datastore.epochs.known) == 2)


def connected(log: Log) -> bool:
    try:
        log.datastore.connect().close()
    except psycopg.OperationalError:
        return False
    return True


def take_over_streaming(primary: Node, standby: Node) -> None:
    primary.kill()
    standby.promote()


def test_a_standby_that_is_promoted_under_an_open_connection_begins_an_epoch(
    primary: Node, standby: Node, stack: ExitStack
) -> None:
    log = log_on(stack, primary.dsn)
    log.append(Unit(uuid4(), 0, [skipped()]))
    standby.await_replay(primary)
    other = log_on(stack, standby.dsn)
    connection = stack.enter_context(other.datastore.connect())
    assert other.datastore.epochs.over(connection)
    primary.kill()
    with other.datastore.reading() as reading:
        assert reading.execute("select count(*) as n from stored_events").fetchone() == {"n": 1}
    standby.promote()
    assert other.append(Unit(uuid4(), 0, [skipped()])) > 0
    assert [epoch.number for epoch in other.datastore.epochs.known] == [1, 2]
