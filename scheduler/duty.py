"""A worker's duty as an interface, and the desk that the duties of one worker share."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Generic, TypeVar
from uuid import UUID

import psycopg

from commands.plans import Plans
from commands.states import BatchStates, ExecutionStates, ScheduleStates
from domain.agents.calls import AgentCall, Answer
from domain.clock import Clock
from domain.event import Cause
from domain.executions.engine.unfolding import Take
from scheduler.alarms import Alarms
from scheduler.appending import Again, Appending
from scheduler.batch import Batch, Decision
from scheduler.calling import Calling
from scheduler.capacity import Capacity, Shares
from scheduler.limit_reports import LimitReports
from scheduler.lists import Lists
from scheduler.setting_aside import SettingAside
from store.unit import OutcomeUnknown, SlotsTaken

T = TypeVar("T")

ROUNDS = 20
"""So often a duty decides afresh on an execution that meets conflicts, before it sets it aside."""


@dataclass(frozen=True)
class Desk:
    """Everything that the duties of one worker work with.

    actor: names the worker in causes. aside: the executions about which no decision succeeds. capacity: the calls that
    the worker may have open. nudge: makes the dispatcher go through the duties soon; callable from any thread. take_in:
    settles batches that the appender has appended. settle: waits until no batch is on its way. quiet: returns whether
    nothing has arrived since. answers: agents' answers that no duty has decided on. reports: what answers say about the
    limits of agents.
    """

    worker_id: UUID
    actor: str
    clock: Clock
    lists: Lists
    states: ExecutionStates
    schedules: ScheduleStates
    batches: BatchStates
    plans: Plans
    aside: SettingAside
    appending: Appending
    calling: Calling
    alarms: Alarms
    capacity: Capacity
    nudge: Callable[[], None]
    take_in: Callable[[], None]
    settle: Callable[[], None]
    quiet: Callable[[], bool]
    reports: LimitReports
    answers: deque[tuple[AgentCall, Answer]] = field(default_factory=deque)

    def cause(self, causation: str, at: datetime | None = None) -> Cause:
        """Return the cause of a decision that the worker takes at `at`. Default: now."""
        return Cause(at or self.clock.now(), self.actor, causation)

    def batch(self, executions: Iterable[UUID], *, fresh: bool = False) -> Batch:
        """Return an empty batch on the states of `executions`; `fresh`: all read from the log."""
        loaded = self.states.load(executions, fresh=fresh)
        return Batch(self.states, loaded, self.worker_id, fresh=fresh, unreadable=self.states.unreadable)

    def take(self, batch: Batch | None = None) -> Shares:
        """Return which attempts the worker may take now, beside those that the decisions in `batch` take."""
        taking = (self.appending.taking,) if batch is None else (self.appending.taking, batch.taking, *batch.beside)
        return Shares(self.capacity, taking)


class Duty(ABC):
    """One kind of work of a worker. The dispatcher calls `work`, on its own thread, whenever the duty is `ready`.

    word: the word of a notification of the log that wakes the duty; one that ends in a colon is followed by a detail.
    overlaps: whether it may decide while a batch is on its way. drains: whether it goes on while the worker stops.
    """

    word: ClassVar[str] = ""
    overlaps: ClassVar[bool] = False
    drains: ClassVar[bool] = False

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._awake = True

    def wake(self, detail: str = "") -> None:
        """Note that there may be work; callable from any thread."""
        self._awake = True

    def rouse(self) -> None:
        """Wake the duty, and nudge the dispatcher; callable from any thread."""
        self.wake()
        self.desk.nudge()

    @property
    def ready(self) -> bool:
        """Whether there may be work that can be done now."""
        return self._awake

    @abstractmethod
    def work(self) -> None:
        """Do the work of the duty. Raises Outage when the database is out of reach."""

    def recorded(self, batch: Batch) -> None:  # noqa: B027 - most duties have nothing to do
        """Act on a recorded batch, whichever duty decided it."""

    def release(self) -> None:  # noqa: B027 - most duties have claimed nothing
        """Release claims of this worker that it has not used, for other workers."""


class DecidingDuty(Duty, Generic[T]):
    """A duty in which each item leads to one decision on one execution."""

    @abstractmethod
    def execution_of(self, item: T) -> UUID:
        """Return the execution that `item` concerns."""

    def executions_of(self, items: Sequence[T]) -> list[UUID]:
        """Return the execution that each item concerns."""
        return [self.execution_of(item) for item in items]

    @abstractmethod
    def decision(self, item: T, at: datetime, take: Take) -> Decision:
        """Return the decision for `item`, taken at `at`; it claims the attempts that `take` allows."""

    def complete(self, batch: Batch) -> None:
        """Add to a batch the decisions on other executions that follow from its own."""

    def needless(self, items: list[T], batch: Batch) -> None:
        """Discard items whose decisions state nothing, on states just read from the log."""

    def decide(self, items: Sequence[T], *besides: Batch, fresh: bool = False) -> tuple[Batch, list[T], Sequence[T]]:
        """Return a batch of decisions on `items`, the items whose decisions state nothing or are refused, and the rest.

        The rest are the last items, which follow when a batch is full. Items whose executions are set aside are left
        out of all: their rows are postponed. besides: batches that are decided and not on their way yet.
        """
        desk = self.desk
        items = desk.aside.without(items, self.execution_of)
        executions = self.executions_of(items)
        batch = desk.batch(executions, fresh=fresh)
        batch.beside = [other.taking for other in besides]
        at, take = desk.clock.now(), desk.take(batch)
        idle: list[T] = []
        rest: Sequence[T] = ()
        for n, (id, item) in enumerate(zip(executions, items, strict=True)):
            if batch.full:
                rest = items[n:]
                break
            if not batch.decide(id, self.decision(item, at, take)):
                idle.append(item)
        self.complete(batch)
        return batch, idle, rest

    def decide_afresh(self, items: Sequence[T], *besides: Batch) -> None:
        """Decide on states read again from the log, and append, until no item meets a conflict.

        Set aside the executions that meet a conflict every time. Raises Outage when the connection is lost every time.
        besides: batches that are decided and not on their way yet.
        """
        desk = self.desk
        again: Again = {}
        rounds = 0
        while items and rounds < ROUNDS:
            batch, idle, rest = self.decide(items, *besides, fresh=True)
            # An execution whose slot another one has taken waits on: there is nothing to decide before a slot is free.
            failed = desk.appending.now(batch).items()
            again = {id: error for id, error in failed if not isinstance(error, SlotsTaken)}
            idle = [item for item in idle if self.execution_of(item) not in batch.failures]
            if idle:
                self.needless(idle, batch)
                desk.aside.resolved(id for id in map(self.execution_of, idle) if id in batch.loaded)
            ahead = {id(item) for item in rest}
            decided = [item for item in items if id(item) not in ahead]
            items = [*(item for item in decided if self.execution_of(item) in again), *rest]
            rounds = 0 if rest else rounds + 1
        if not items:
            return
        for execution_id, error in again.items():
            if isinstance(error, OutcomeUnknown):
                raise psycopg.OperationalError(f"appends lose their connection again and again: {error}") from error
            desk.aside.add(execution_id, error)
