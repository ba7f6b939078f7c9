"""The world of a simulation: a manual clock, workers that die, published processes and started executions."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from simulated_agents import Agents, drawn_limits
from simulated_batches import Batches
from simulated_lists import MemoryLists
from simulated_people import People
from simulated_processes import Kept, SimulatedPlans, id_of, processes, published
from simulated_store import Store
from simulated_watch import Watch
from simulated_worker import Worker

from commands.executions import unit_of
from commands.states import rehydrate
from domain.agents.agent import Agent
from domain.agents.decisions import register_agent
from domain.event import Cause, Event
from domain.executions.decisions.execution import start_execution
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.approval import ApprovalRequested
from domain.executions.events.execution import (
    ExecutionEnded,
    ExecutionFailed,
    ExecutionRetried,
    ExecutionStarted,
    Trigger,
)
from domain.executions.state.model import Execution
from domain.executions.state.slot import slot_of
from domain.identity import agent_id
from domain.processes.decisions import archive_process, pause_process, resume_process
from domain.processes.events import ProcessArchived, ProcessPublished
from domain.processes.process import Process, fold
from domain.refusal import Forbidden, Refusal
from store.unit import Conflict, MessageKey, StoreError, StreamChange, Unit
from tests.clocks import TurnedClock

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
LONGEST = 60_000  # seconds; every simulation ends long before

Decide = Callable[[Execution], Unfolding]


class World:
    """One simulation; the seed determines every event.

    executions: the number of executions that users start; these start others. ids: of all executions. draw: returns
    the processes. contention: how many executions start after a worker has read the lines, before it admits others.
    batches: lists of executions that operators freeze. dropped: by the number of appends before, the messages that
    workers dropped.
    """

    def __init__(
        self,
        seed: int,
        *,
        executions: int,
        workers: int = 3,
        faults: float = 0.01,
        draw: Callable[[Random], list[dict[str, Any]]] = processes,
        contention: int = 0,
        batches: int = 6,
    ) -> None:
        self.random = Random(seed)
        self.clock = TurnedClock(BEGIN)
        self.crashes = faults / 4
        self._contention = contention
        self._interleaving = 2 * faults
        self.kept_plans: Kept = {}
        self.watch = Watch(self.kept_plans)
        self.dropped: defaultdict[int, list[MessageKey]] = defaultdict(list)
        self.lists = MemoryLists(self.clock, self._dropped)
        self.store = Store(self.random, 0, self.lists, self._recorded, self._notify)
        self.plans = SimulatedPlans(self.store, self.kept_plans)
        self.running: dict[UUID, None] = {}
        self.ids: list[UUID] = []
        self.crashed_workers = 0
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._planned = 0
        self.agents = Agents(self)
        self.people = People(self)
        self.batches = Batches(self, batches)
        self._processes = draw(self.random)
        self.workers: list[Worker] = []
        for name, limits in (("echo", drawn_limits(self.random)), ("other", {})):
            config = {"kind": "http"} | limits
            self.store.append(Unit(agent_id(name), 0, register_agent(Agent(), name, config, self.cause("user"))))
        for definition in self._processes:
            self.publish(definition)
        self.store.faults = faults
        self.workers += [Worker(self, number) for number in range(workers)]
        for _ in range(executions):
            self.later(self.random.uniform(0, 60), self._start_any)
        for _ in range(3):
            self.later(self.random.uniform(0, 60), lambda: self.publish(self.random.choice(self._processes)))
        self.later(self.random.uniform(0, 200), self._archive)
        for _ in range(3):
            self.later(self.random.uniform(0, 60), self._pause)
        self.later(5, self._poll)

    def run(self) -> None:
        """Run until every execution has ended and the agenda is empty. Raises AssertionError if one never ends."""
        while self._agenda:
            self.step()

    def step(self) -> None:
        """Run the next action on the agenda."""
        self.clock.time, _, action = heapq.heappop(self._agenda)
        assert self.now - BEGIN < timedelta(seconds=LONGEST), f"{len(self.running)} executions do not end"
        action()

    @property
    def now(self) -> datetime:
        """The time on the clock."""
        return self.clock.time

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Schedule an action after `seconds`."""
        self._planned += 1
        heapq.heappush(self._agenda, (self.now + timedelta(seconds=seconds), self._planned, action))

    def execution(self, id_: UUID) -> Execution:
        """Return the state of an execution, folded from the log."""
        found = rehydrate(id_, self.store.stream(id_), self.plans)
        assert found is not None
        return found

    def _notify(self, words: list[str]) -> None:
        """Notify workers of an append; at times a worker receives nothing."""
        for worker in self.workers:
            if words and self.random.random() < 0.4:
                self.later(self.random.uniform(0, 0.2), partial(self._wake, worker, words))

    def _wake(self, worker: Worker, words: list[str]) -> None:
        for word in words:
            worker.dispatcher.wake(word)

    def _recorded(self, unit: StreamChange, together: set[UUID]) -> None:
        """Check a recorded change and let people act on it, whether or not its worker receives the outcome."""
        self.watch.check(unit, together)
        self.batches.check(unit)
        id_ = unit.stream
        for event in unit.events:
            if isinstance(event, ExecutionStarted):
                self.ids.append(id_)
                self.people.started(id_)
            if isinstance(event, ExecutionStarted | ExecutionRetried):
                self.running[id_] = None
            if isinstance(event, ExecutionEnded):
                del self.running[id_]
            if isinstance(event, ExecutionFailed):
                self.people.failed(id_)
            if isinstance(event, ApprovalRequested):
                self.people.approval_requested(id_, event)

    def _dropped(self, messages: Sequence[MessageKey]) -> None:
        self.watch.drop(messages)
        self.dropped[self.store.appends] += messages

    def contend(self) -> None:
        """Start an execution at times and let another worker admit it, while one has read the lines without it."""
        if self._contention and self.workers and self.random.random() < 0.3:
            self._contention -= 1
            self._start_any()
            self.meanwhile(always=True)

    def meanwhile(self, *, always: bool = False) -> None:
        """Run another worker at times: it may record a decision before the one that is about to."""
        if self.workers and (always or self.random.random() < self._interleaving):
            other = self.random.choice(self.workers)
            other.dispatcher.wake_all()
            other.turn()

    def crashed(self, worker: Worker) -> None:
        """Replace a crashed worker later; others claim its attempts when its lease ends."""
        self.crashed_workers += 1
        self.later(self.random.uniform(0, 20), lambda: self._replace(worker))

    def _start_any(self) -> None:
        """Start a random process, mostly of the upper levels, which call others; if it is archived, start another."""
        definition = self._processes[min(self.random.randrange(len(self._processes)) for _ in range(2))]
        try:
            self.start(UUID(int=self.random.getrandbits(128)), definition)
        except Forbidden:
            self.later(0, self._start_any)

    def start(self, id_: UUID, definition: dict[str, Any]) -> None:
        """Start an execution, as commands.executions does. Raises Forbidden if the process is archived."""
        input, cause = {"n": self.random.randint(1, 3)}, self.cause("user")
        if "p" in definition["input"]:
            input["p"] = self.random.randint(-100, 100)
        while not self.store.version(id_):  # an append may succeed although its acknowledgement is lost
            starting = self.plans.starting(id_of(definition), None)
            plan, waits = starting.plan, starting.pause is not None
            callees, called = self.plans.callees(plan)
            unfolding = start_execution(id_, plan, input, Trigger(), cause, callees=callees, waits=waits)
            guards = ((plan.process_id, starting.revision), *called)
            timers, slot = unfolding.timers_set, slot_of("", unfolding.execution)
            try:
                self.store.append(Unit(id_, 0, unfolding.events, guards=guards, timers_set=timers, slot=slot))
            except Conflict:
                self.plans.forget(process for process, _ in guards)
            except StoreError:
                continue

    def publish(self, definition: dict[str, Any]) -> None:
        """Publish the unchanged process again: decisions on the previous version conflict, and are made again."""

        def decide(events: list[Event]) -> list[Event]:
            versions = sum(isinstance(event, ProcessPublished) for event in events)
            archived = any(isinstance(event, ProcessArchived) for event in events)
            return [] if archived else published(definition, versions + 1, self.cause("user"))

        self.record(id_of(definition), decide)

    def _archive(self) -> None:
        self._change(self.random.choice(self._processes), lambda process, by: archive_process(process, "no longer", by))

    def _pause(self) -> None:
        """Pause a process for a while, so that its starts wait."""
        definition = self.random.choice(self._processes)
        self._change(definition, lambda process, by: pause_process(process, "queue", "broken", by))
        wait = self.random.uniform(10, 200)
        self.later(wait, lambda: self._change(definition, lambda process, by: resume_process(process, "mended", by)))

    def _change(self, definition: dict[str, Any], decide: Callable[[Process, Cause], list[Event]]) -> None:
        def decided(events: list[Event]) -> list[Event]:
            process = fold(events)
            assert process is not None
            return decide(process, self.cause("user"))

        self.record(id_of(definition), decided)

    def record(self, stream: UUID, decide: Callable[[list[Event]], list[Event]]) -> None:
        """Carry out a command on the events of a stream, however often its append fails, or let it be refused."""
        while True:
            events = self.store.stream(stream)
            try:
                decided = decide(events)
            except Refusal:
                return
            if not decided:
                return
            self.meanwhile()
            try:
                self.store.append(Unit(stream, len(events), decided))
                return
            except StoreError:
                continue

    def command(self, id_: UUID, decision: Callable[..., Any], *command: Any) -> None:
        """Carry an operator's command out, or let it be refused."""
        self.decide(id_, lambda execution: decision(execution, *command, cause=self.cause("user:operator")))

    def decide(self, id_: UUID, decide: Decide) -> bool:
        """Carry a command out; return False if its caller receives no reply."""
        for _ in range(20):
            before = self.execution(id_)
            try:
                decided = decide(before)
            except Refusal:
                return True
            if not decided.events:
                return True
            if self.random.random() < self.crashes:
                return False
            self.meanwhile()
            try:
                self.store.append(unit_of(before, decided))
            except StoreError:
                continue
            return self.random.random() >= self.crashes
        return False

    def _poll(self) -> None:
        """Renew the leases every ten seconds; at times let an operator retry steps without an answer."""
        if self.running or self._agenda or self.lists.outbox or self.lists.running_batches:
            self.later(10, self._poll)
        for worker in self.workers:
            worker.renew()
        for id_ in list(self.running) if self.random.random() < 0.1 else ():
            self.people.unstick(id_)

    def _replace(self, worker: Worker) -> None:
        self.workers[worker.number] = Worker(self, worker.number)

    def cause(self, actor: str) -> Cause:
        """Return the cause of a command of `actor` now."""
        return Cause(self.now, actor)
