"""One contract for the lists in PostgreSQL and in memory: the same appends, claims and releases, the same answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from simulated_lists import MemoryLists
from simulated_store import Store

from domain.agents.calls import StepError
from domain.agents.limits import AgentLimits
from domain.batches.events import BatchStarted, BatchStopped
from domain.event import Cause, Event, record
from domain.executions.events.child import Parent, SubProcessClosed, SubProcessStarted
from domain.executions.events.execution import ExecutionAdmitted, ExecutionCompleted, ExecutionStarted
from domain.executions.events.step import StepFailed, StepScheduled, StepStarted, StepTimedOut
from domain.executions.state.slot import Slot
from domain.executions.timers import HEARTBEAT, TIMEOUT, TIMER
from scheduler.lease import StoredLeases
from scheduler.lists import Lists
from scheduler.stored_lists import StoredLists
from store.datastore import Datastore, OwnConnection
from store.lists.outbox import log_unreadable
from store.lists.queues import Admissible, Queue
from store.lists.running_batches import ClaimedBatch
from store.lists.turns import UNKNOWN
from store.log import Log
from store.unit import Conflict, Unit
from tests.clocks import TurnedClock

CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:test", "cause", "correlation")
STREAMS = [UUID(int=n) for n in range(1, 7)]
PROCESSES = [UUID(int=n) for n in range(100, 103)]
ALIVE, SILENT = UUID(int=200), UUID(int=201)
BATCHES = [UUID(int=n) for n in range(300, 304)]
STEPS = "abc"
AGENTS = ("", "echo", "slow", "Z")
LIMITS = {"echo": AgentLimits(max_open=3), "slow": AgentLimits(calls=25, per=timedelta(hours=1)), "Z": AgentLimits()}
# Claims last until a release, even in a slow test.
LAST = "update {} set claimed_until = now() + interval '1 h' where claimed_until is not null"


def message(random: Random) -> Event:
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


def work(random: Random) -> Event:
    attempt = {"step": random.choice(STEPS), "attempt": random.randrange(1, 4)}
    return random.choice(
        (
            record(StepScheduled, CAUSE, **attempt, agent=random.choice(AGENTS), message="do it"),
            record(StepStarted, CAUSE, **attempt),
            record(StepFailed, CAUSE, **attempt, error=StepError("code", "message")),
            record(StepTimedOut, CAUSE, **attempt, scope="attempt"),
        )
    )


def slot_of(random: Random, stream: UUID) -> Slot | None:
    """Return a change of the slot of an execution, whose key and rank stay the same."""
    state = random.choice((None, "queued", "running", "left"))
    if state is None:
        return None
    n = STREAMS.index(stream)
    rank = CAUSE.at + timedelta(minutes=n * 7 % 5)
    return Slot(PROCESSES[0], state, "" if n % 2 else "acme", rank, called=n % 3 == 0)


class Course:
    """The same random work for both logs; `memory` holds the appended units."""

    def __init__(self, random: Random, log: Log) -> None:
        self.random = random
        self.log = log
        self.lists = MemoryLists(TurnedClock(CAUSE.at))
        self.memory = Store(random, 0, self.lists)
        self._instants = 0

    def append(self) -> None:
        """Append a unit to both logs; both record it, or neither does."""
        random, stream = self.random, self.random.choice(STREAMS)
        candidates = [*self.lists.outbox, (stream, 10_000)] if random.random() < 0.2 else list(self.lists.outbox)
        mine = [(step, kind) for id, step, kind in self.lists.due_timers if id == stream]
        slot = slot_of(random, stream)
        limit = random.choice((None, 1, 2))
        begins = record(ExecutionAdmitted, CAUSE, process_id=PROCESSES[0], limit=limit)
        set_now = {(random.choice(STEPS), random.choice((TIMER, TIMEOUT, HEARTBEAT))): self._instant()}
        unit = Unit(
            stream,
            self.memory.version(stream),
            [
                work(random),
                *(message(random) for _ in range(random.randrange(1, 4))),
                *([begins] if slot is not None and slot.state == "running" else []),
            ],
            owner=random.choice((None, ALIVE, SILENT)),
            handled=random.sample(candidates, min(len(candidates), random.randrange(3))),
            slot=slot,
            timers_set=random.choice(({}, set_now)),
            process_id=random.choice((None, *PROCESSES)),
            timers_dropped=[key for key in mine if key not in set_now and random.random() < 0.3],
        )
        assert recorded(self.log, unit) == recorded(self.memory, unit)

    def _instant(self) -> datetime:
        """Return an instant, never the same twice: of two timers that are due at once, either may come first."""
        self._instants += 1
        return CAUSE.at + timedelta(seconds=self.random.randrange(-9, 9), milliseconds=self._instants)


def recorded(log: Log | Store, unit: Unit) -> bool:
    try:
        log.append(unit)
    except Conflict:
        return False
    return True


@pytest.fixture
def stored(datastore: Datastore) -> Iterator[Lists]:
    """Yield the real lists."""
    lists = StoredLists(OwnConnection(datastore))
    yield lists
    lists.close()


@pytest.fixture
def leases(datastore: Datastore) -> Iterator[StoredLeases]:
    """Yield the real leases."""
    kept = StoredLeases(datastore, timedelta(hours=1))
    yield kept
    kept.close()


@pytest.mark.parametrize("number", range(3))
def test_lists_in_memory_are_moved_and_claimed_like_those_in_postgresql(
    log: Log, stored: Lists, leases: StoredLeases, datastore: Datastore, number: int
) -> None:
    course = Course(Random(number), log)
    random, memory = course.random, course.lists
    claimed = {"steps": 0, "timers": 0, "messages": 0}
    read = 0
    for lists in (leases, memory):
        lists.renew(ALIVE, "host", 1, timedelta(hours=1))
    for _ in range(120):
        course.append()
        with datastore.reading() as connection:
            for table in ("outbox", "due_timers"):
                connection.execute(LAST.format(table))
        limit, worker = random.randrange(1, 6), random.choice((ALIVE, SILENT))

        rooms = {agent: random.randrange(4) for agent in AGENTS if random.random() < 0.4}
        after = random.choice(list(memory.groups.values()) or [UNKNOWN])
        limited = {agent: LIMITS[agent] for agent in LIMITS if random.random() < 0.7}
        turns, _, _ = both(
            stored,
            memory,
            lambda lists: in_turns(lists, worker, limit, rooms, after, limited),  # noqa: B023
        )
        steps = [attempt for _, _, claimed in turns for attempt in claimed]
        assert len(steps) <= limit
        assert both(stored, memory, lambda lists: lists.held_steps(worker)) >= set(steps)  # noqa: B023
        some = [(id, step) for id, step, _ in steps if random.random() < 0.5]
        for lists in (stored, memory):
            lists.unclaim_steps(worker, some[:1])
            lists.regroup_steps(worker, [(*step, ("moved", PROCESSES[0])) for step in some[1:2]])
            lists.drop_steps(worker, some[2:])
        if random.random() < 0.1:
            for lists in (stored, memory):
                lists.release_lost()

        until = CAUSE.at + timedelta(seconds=3)
        timers = both(stored, memory, lambda lists: lists.claim_timers(CAUSE.at, until, limit))  # noqa: B023
        assert all(due_at <= CAUSE.at or kind != HEARTBEAT for due_at, (_, _, kind) in timers)
        both(stored, memory, lambda lists: lists.next_timer())
        keys = [key for _, key in timers if random.random() < 0.5]
        for lists in (stored, memory):
            lists.release_timers(keys)
            lists.drop_timers(CAUSE.at, keys[:1])

        messages = both(stored, memory, lambda lists: lists.claim_messages(limit, log_unreadable))  # noqa: B023
        some_keys = [each.key for each in messages if random.random() < 0.5]
        for lists in (stored, memory):
            lists.release_messages(some_keys)
            lists.drop_messages(some_keys[:1])
        both(stored, memory, lambda lists: lists.waiting_processes())
        for limit, paused in ((None, False), (1, False), (2, False), (2, True)):
            admissible = [Admissible(PROCESSES[0], limit, paused)]
            read += len(both(stored, memory, lambda lists: by_line(lists.queues(admissible, 10))))  # noqa: B023
        both(stored, memory, lambda lists: lists.descendants(STREAMS))
        for what, taken in (("steps", steps), ("timers", timers), ("messages", messages)):
            claimed[what] += len(taken)
    for lists in (stored, memory):
        lists.release_worker(ALIVE)
    both(stored, memory, lambda lists: in_turns(lists, SILENT, 1000, {}, UNKNOWN, {}))
    assert min(claimed.values()) > 20
    assert read > 20


def test_batches_in_memory_are_claimed_in_turns_like_those_in_postgresql(
    log: Log, stored: Lists, datastore: Datastore
) -> None:
    course = Course(Random(1), log)
    random, memory, running = course.random, course.lists, set[UUID]()
    claimed: list[ClaimedBatch] = []
    started, ended = [record(BatchStarted, CAUSE, reason="so")], [record(BatchStopped, CAUSE, reason="no")]
    for _ in range(60):
        batch = random.choice(BATCHES)
        events = ended if batch in running and random.random() < 0.5 else [] if batch in running else started
        if events:
            running ^= {batch}
            assert recorded(log, unit := Unit(batch, course.memory.version(batch), events))
            assert recorded(course.memory, unit)
        found = both(stored, memory, lambda lists: lists.claim_batch())
        with datastore.reading() as connection:
            connection.execute(LAST.format("running_batches"))
        claimed += [] if found is None else [found]
        if claimed and random.random() < 0.5:
            over = claimed.pop(random.randrange(len(claimed)))
            act = random.choice(("release_batch", "postpone_batch"))
            for lists in (stored, memory):
                getattr(lists, act)(over.batch_id, *([timedelta(hours=1)] if act == "postpone_batch" else []))
    assert claimed


def by_line(queues: list[Queue]) -> list[Queue]:
    return sorted(queues, key=lambda queue: queue.key)


def in_turns(lists, worker, limit, rooms, after, limited):
    lists.ensure_limits(sorted(limited))
    made = lists.claim_steps(worker, limit, rooms, after, limited)
    turns = [(turn.group, turn.quota, sorted(turn.claimed)) for turn in made.turns]
    return turns, sorted(made.admitted), sorted(made.waits)


def both(stored, memory, read):
    """Assert that both lists return the same; return it."""
    answer = read(stored)
    assert answer == read(memory)
    return answer
