"""The lists that simulations run on against those of the real store: the same appends and claims, the same rows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

import pytest
from simulated_store import Store

from domain.event import Cause, Event, record
from domain.executions.events.child import Parent, SubProcessClosed, SubProcessStarted
from domain.executions.events.execution import ExecutionCompleted, ExecutionStarted
from domain.executions.slots import Slot
from store.datastore import Datastore
from store.lists import outbox, slots, trees
from store.log import Log
from store.unit import Conflict, Unit

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:test", "cause", "correlation")
STREAMS = [UUID(int=n) for n in range(1, 7)]
PROCESSES = [UUID(int=n) for n in range(100, 103)]


def event(random: Random) -> Event:
    other, process = random.choice(STREAMS), random.choice(PROCESSES)
    calling = {"step": "a", "attempt": 1, "child": other}
    started = {"process_id": process, "process": "p", "version": 1, "input": {}}
    ended = {"process_id": process, "version": 1, "started_at": CAUSE.at, "outputs": {}}
    return random.choice(
        (
            record(SubProcessStarted, CAUSE, **calling, **started, root=other, depth=1, path=[other]),
            record(SubProcessClosed, CAUSE, **calling, reason="step_timed_out"),
            record(ExecutionCompleted, CAUSE, **ended, reports_to=random.choice((None, other))),
            record(ExecutionStarted, CAUSE, **started, steps=1, parent=Parent(other, "a", 1, other, 1, [other])),
        )
    )


@pytest.fixture
def log(datastore: Datastore) -> Iterator[Log]:
    """The real one."""
    opened = Log(datastore)
    yield opened
    opened.close()


def rows(datastore: Datastore, query: str) -> list[tuple[Any, ...]]:
    with datastore.reading() as connection:
        return [tuple(row.values()) for row in connection.execute(query).fetchall()]


@pytest.mark.parametrize("course", range(3))
def test_simulated_lists_are_moved_and_claimed_like_real_ones(log: Log, datastore: Datastore, course: int) -> None:
    random, simulated = Random(course), Store(Random(course), faults=0)
    lists = simulated.relations
    for _ in range(120):
        stream = random.choice(STREAMS)
        events = [event(random) for _ in range(random.randrange(1, 4))]
        known = [*lists.outbox, (stream, 10_000)] if random.random() < 0.2 else list(lists.outbox)
        handled = random.sample(known, min(len(known), random.randrange(3)))
        place = Slot(random.choice(PROCESSES[:1]), random.choice(("queued", "running", "left")))
        unit = Unit(
            stream,
            len(simulated.stream(stream)),
            events,
            owner=random.choice((None, UUID(int=9))),
            handled=handled,
            slot=place if random.random() < 0.5 else None,
        )
        outcomes = []
        for append in (log.append, simulated.append):
            try:
                append(unit)
                outcomes.append(True)
            except Conflict:
                outcomes.append(False)
        assert outcomes[0] == outcomes[1]
        with datastore.reading() as connection:
            # Nothing runs out while the test runs, however long that takes.
            connection.execute(
                "update outbox set claimed_until = now() + interval '1 h' where claimed_until is not null"
            )
            limit = random.randrange(1, 6)
            claimed = outbox.claim(connection, limit)
            assert claimed == lists.claim(CAUSE.at, limit)
            let_go = [message.key for message in claimed if random.random() < 0.5]
            outbox.release(connection, let_go)
            lists.release(let_go)
            assert slots.queues(connection, 3) == lists.room(3)
            assert trees.descendants(connection, STREAMS) == lists.descendants(STREAMS)
    listed = rows(datastore, "select source, version, recipient, claimed_until is null as free from outbox")
    assert {(source, version): (recipient, free) for source, version, recipient, free in listed} == {
        key: (message.recipient, key not in lists.in_hand) for key, message in lists.outbox.items()
    }
    assert len(listed) > 5
