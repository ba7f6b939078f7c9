"""A worker of a simulation: the real dispatcher and lease, on a manual clock; it may die at any touch."""

import queue
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from simulated_processes import SimulatedPlans
from simulated_store import Crash

from commands.agents import CachedAgents
from commands.states import BatchStates, ExecutionStates, ScheduleStates
from scheduler.appending import Work
from scheduler.dispatcher import Arrived, Dispatcher
from scheduler.lease import RENEWALS, Lease
from scheduler.pipeline import Appended
from scheduler.upkeep import Upkeep
from store.lists.queues import Admissible, Queue
from store.unit import Unit
from store.waiting_units import Outcome

if TYPE_CHECKING:
    from simulated_world import World

LEASE = timedelta(seconds=30)
MAX_OPEN = 30


class Worker:
    """One worker; it loses its memory when it crashes."""

    def __init__(self, world: "World", number: int) -> None:
        self.world = world
        self.number = number
        self.id = UUID(int=world.random.getrandbits(128))
        self.alive = True
        self._at_work = False
        self._soon = False
        plans = SimulatedPlans(world.store, world.kept_plans)
        self.states = ExecutionStates(world.store.streams, plans, size=60)
        lists: Any = TouchedLists(self, world.lists)
        self.inbox = SimulatedInbox(self)
        self.dispatcher = Dispatcher(
            self.id,
            clock=world.clock,
            lists=lists,
            appender=SimulatedAppender(self),
            states=self.states,
            schedules=ScheduleStates(world.store.streams),
            batches=BatchStates(world.store.streams),
            plans=plans,
            agents=CachedAgents(world.store, world.clock),
            gateway=world.agents.line(),
            alarms=SimulatedAlarms(self),
            inbox=self.inbox,
            callback_key=b"key",
            max_open=MAX_OPEN,
        )
        self._lease = Lease(self.id, lists, world.clock, LEASE)
        self._upkeep = Upkeep(self.dispatcher, lists, world.clock, LEASE / RENEWALS)
        self.renew()

    def renew(self) -> None:
        """Renew the lease, and do the upkeep."""
        self._until_death(self._lease.renew)
        self._until_death(self._upkeep.tidy)

    def turn(self) -> None:
        """Run the duties once; do nothing while the worker is at work, because it has one thread."""
        self._soon = False
        if self._at_work or not self.alive:
            return
        self._at_work, more = True, False

        def go() -> None:
            nonlocal more
            more = self.dispatcher.turn(wait=False)

        self._until_death(go)
        self._at_work = False
        if more or not self.inbox.empty():
            self.soon()

    def exhaust(self) -> None:
        """Wake every duty, and run the duties until none is left for now."""
        self.dispatcher.wake_all()
        while self._soon:
            self.turn()

    def soon(self) -> None:
        """Schedule a turn at the present time."""
        if not self._soon:
            self._soon = True
            self.world.later(0, self._turn_soon)

    def touch(self) -> None:
        """Mark the beginning or the end of an outside call: here processes die, and other workers run."""
        if not self.alive or self.world.random.random() < self.world.crashes:
            raise Crash
        self.world.meanwhile()

    def append(self, act: Callable[[], None]) -> None:
        """Run the work of the appending thread. The dispatcher has no turn meanwhile: it would wait in vain."""
        before, self._at_work = self._at_work, True
        self._until_death(act)
        self._at_work = before

    def _turn_soon(self) -> None:
        if self._soon:
            self.turn()

    def _until_death(self, act: Callable[[], None]) -> None:
        try:
            if self.alive:
                act()
        except Crash:
            if self.alive:
                self.alive = False
                self.world.crashed(self)


class TouchedLists:
    """The lists of one worker, with a touch around each call; at times the worker acts on queues read before."""

    def __init__(self, worker: Worker, lists: object) -> None:
        self._worker = worker
        self._lists = lists
        self._last: tuple[list[Queue], int] = [], 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def touched(*arguments: Any) -> Any:
            self._worker.touch()
            result = getattr(self._lists, name)(*arguments)
            self._worker.touch()
            return result

        return touched

    def queues(self, admissible: Sequence[Admissible], limit: int) -> list[Queue]:
        world, read_at = self._worker.world, self._worker.world.store.appends
        read: list[Queue] = self.__getattr__("queues")(admissible, limit)
        chosen = self._last if self._last[0] and world.random.random() < 0.2 else (read, read_at)
        self._last = read, read_at
        if chosen[0]:
            world.contend()
        world.watch.lines_read[self._worker.id] = chosen[1]
        return chosen[0]


class SimulatedAppender:
    """Appends to the log in memory; a submitted batch arrives after a delay."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._waiting: deque[tuple[Work, Sequence[Unit]]] = deque()

    def start(self) -> None:
        """Do nothing: there is no thread."""

    def stop(self) -> None:
        """Do nothing: there is no thread."""

    def append_all(self, units: Sequence[Unit]) -> list[Outcome]:
        self._worker.touch()
        outcomes = self._worker.world.store.append_all(units)
        self._worker.touch()
        return outcomes

    def submit(self, work: Work, units: Sequence[Unit]) -> None:
        world = self._worker.world
        under_way = {unit.stream for _, waiting in self._waiting for unit in waiting}
        assert under_way.isdisjoint(unit.stream for unit in units), "a decision rests on what is recorded"
        world.watch.overlapped += bool(under_way)
        self._waiting.append((work, units))
        world.later(world.random.choice([0, 0.01, 0.3]), lambda: self._worker.append(self._append_next))

    def _append_next(self) -> None:
        work, units = self._waiting.popleft()
        self._worker.inbox.put(Appended(work, self.append_all(units)))


class SimulatedInbox:
    """Each arrival schedules a turn of the worker; while the worker waits, the world goes on."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._items: deque[Arrived] = deque()

    def put(self, item: Arrived) -> None:
        self._items.append(item)
        self._worker.soon()

    def get(self, block: bool = True, timeout: float | None = None) -> Arrived:
        while block and not self._items:
            if not self._worker.alive:
                raise Crash
            self._worker.world.step()
        if not self._items:
            raise queue.Empty
        return self._items.popleft()

    def empty(self) -> bool:
        return not self._items


class SimulatedAlarms:
    """Alarms on the world's agenda, some of them late."""

    def __init__(self, worker: Worker) -> None:
        self._world = worker.world
        self._set: dict[str, object] = {}

    def start(self) -> None:
        """Do nothing: the world keeps time."""

    def stop(self) -> None:
        """Do nothing: the world keeps time."""

    def ring_at(self, name: str, instant: datetime, ring: Callable[[], None]) -> None:
        alarm = self._set[name] = object()
        late = self._world.random.choice([0, 0.01, 0.5, 3])

        def due() -> None:
            if self._set[name] is alarm:
                ring()

        self._world.later(max(0.0, (instant - self._world.now).total_seconds()) + late, due)
