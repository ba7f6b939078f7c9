"""The world of a simulation: a clock turned by hand, workers that die, agents with whims, operators with doubts."""

import heapq
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from simulated_processes import Plans
from simulated_store import Store
from simulated_worker import Attempt, Decide, Worker

from commands.executions import answer_step
from commands.states import rehydrate
from domain.agents.calls import Accepted, Answer, Completed, Failed, StepError
from domain.event import Cause, Event
from domain.executions.decisions import cancel_execution, start_execution
from domain.executions.events import Trigger
from domain.executions.execution import ACCEPTED, FAILED, RUNNING, STARTED, Execution
from domain.executions.firing import fire_timer_early, move_timer, record_heartbeat
from domain.executions.repairs import reassign_step, retry_execution, retry_step, skip_step
from domain.executions.timers import HEARTBEAT, TimerKey, Timers
from domain.money import Money
from domain.refusal import Refusal
from store.unit import StoreError

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CENT = Money(Decimal("0.01"), "USD")
LONGEST = 30_000  # seconds; nothing in a simulation takes nearly as long


class World:
    """Everything that happens follows from the seed."""

    def __init__(self, seed: int, *, executions: int, workers: int = 3, faults: float = 0.01) -> None:
        self.random = Random(seed)
        self.now = BEGIN
        self.crashes = faults / 4
        self.store = Store(self.random, faults)
        self.plans = Plans(self.random, 12)
        self.running: dict[UUID, None] = {}
        self.ids: list[UUID] = []
        self.crashed_workers = 0
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._planned = 0
        self._expected: set[Attempt] = set()
        self.workers = [Worker(self, number) for number in range(workers)]
        for _ in range(executions):
            self.later(self.random.uniform(0, 60), self._start)
        self.later(5, self._poll)

    def run(self) -> None:
        """Until every execution has ended and nobody has anything to do. Raises AssertionError if that never comes."""
        while self._agenda:
            self.now, _, action = heapq.heappop(self._agenda)
            assert self.now - BEGIN < timedelta(seconds=LONGEST), f"{len(self.running)} executions do not end"
            action()

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Have something happen in so many seconds."""
        self._planned += 1
        heapq.heappush(self._agenda, (self.now + timedelta(seconds=seconds), self._planned, action))

    def execution(self, id_: UUID) -> Execution:
        """The state of an execution by the log."""
        found = rehydrate(id_, self.store.stream(id_), self.plans)  # type: ignore[arg-type]
        assert found is not None
        return found

    def append(
        self,
        before: Execution,
        after: Execution,
        events: list[Event],
        timers_set: Timers,
        timers_dropped: Iterable[TimerKey],
        owner: UUID | None = None,
    ) -> None:
        """Record what was decided, and wake somebody for what is due."""
        try:
            self.store.append(before.id, before.version, events, timers_set, timers_dropped, owner)
        finally:
            for due_at in timers_set.values():
                late = self.random.choice([0, 0.01, 0.5, 3])
                self.later(max(0.0, (due_at - self.now).total_seconds()) + late, self._wake)
            self.later(self.random.uniform(0, 0.2), self._wake)
        if after.ended_at is not None:
            self.running.pop(after.id, None)
            if after.status == FAILED and self.random.random() < 0.2:
                self.later(self.random.uniform(0, 20), lambda: self._command(after.id, retry_execution, "again"))
        else:
            self.running[after.id] = None

    def crashed(self, worker: Worker) -> None:
        """A worker is gone; another takes its place, and what it had is given to others when its lease is over."""
        self.crashed_workers += 1
        self.later(self.random.uniform(0, 20), lambda: self._replace(worker))
        left = (worker.lease_until - self.now).total_seconds()
        self.later(max(0.0, left), lambda: self._release(worker))

    def call(self, worker: Worker, execution: Execution, step: str) -> None:
        """The agent of an attempt is called, and does as it likes."""
        attempt = (execution.id, step, execution.steps[step].attempt)
        whim = self.random.random()
        takes = self.random.choice([0, 0.1, 1, 5, 25])
        if whim < 0.05:
            return  # its answer is lost
        if whim < 0.25:
            self.later(takes / 5, lambda: worker.deliver(attempt, Accepted()))
            self._expected.add(attempt)
            self.later(takes + 0.5, lambda: self._call_back(attempt, self._answer()))
            heartbeat = getattr(execution.plan.steps[step], "heartbeat", None)
            if heartbeat is not None and self.random.random() < 0.8:
                self._beat(attempt, heartbeat.total_seconds() / 2)
            return
        answer = self._answer()
        self.later(takes, lambda: worker.deliver(attempt, answer))

    def _answer(self) -> Answer:
        whim = self.random.random()
        if whim < 0.82:
            return Completed(self.random.choice(["yes", "no", 3, None]), cost=CENT)
        if whim < 0.95:
            wait = self.random.choice([None, timedelta(seconds=7)])
            return Failed(StepError("agent_error", "a whim", retry_after=wait), cost=CENT)
        return Failed(StepError("bad_request", "a whim", permanent=True))

    def _call_back(self, attempt: Attempt, answer: Answer) -> None:
        """An agent that was to answer later does, perhaps twice, and again when it does not hear back."""
        id_, step, number = attempt
        heard = self._decide(id_, lambda execution: answer_step(execution, step, number, answer, self._cause("agent")))
        if heard:
            self._expected.discard(attempt)
        if not heard or self.random.random() < 0.2:
            self.later(self.random.uniform(0, 9), lambda: self._call_back(attempt, answer))

    def _beat(self, attempt: Attempt, every: float) -> None:
        def beat() -> None:
            id_, step, number = attempt
            try:
                due_at = record_heartbeat(self.execution(id_), step, number, self.now)
            except Refusal:
                return
            if due_at is not None and (id_, step, HEARTBEAT) in self.store.due_timers:
                self.store.due_timers[id_, step, HEARTBEAT] = due_at
                self.later((due_at - self.now).total_seconds(), self._wake)
            if self.random.random() < 0.9:
                self.later(every, beat)

        self.later(every, beat)

    def _start(self) -> None:
        plan = self.random.choice(self.plans.all)
        id_ = UUID(int=self.random.getrandbits(128))
        unfolding = start_execution(id_, plan, {}, Trigger(), self._cause("user"))
        try:
            self.append(Execution(id_, plan), unfolding.execution, unfolding.events, unfolding.timers_set, [])
        except StoreError:
            if not self.store.stream(id_):
                self.later(1, self._start)
                return
            self.running[id_] = None
        self.ids.append(id_)
        if self.random.random() < 0.3:
            self.later(self.random.uniform(0, 60), lambda: self._interfere(id_))

    def _interfere(self, id_: UUID) -> None:
        """An operator does something, sensible or not."""
        execution = self.execution(id_)
        timers, steps = list(execution.timers), list(execution.steps)
        whim = self.random.random()
        if timers and whim < 0.4:
            step, kind = self.random.choice(timers)
            if whim < 0.2:
                self._command(id_, fire_timer_early, step, kind, "why wait")
            else:
                self._command(id_, move_timer, step, kind, self.now + timedelta(seconds=15), "later")
        elif steps and whim < 0.8:
            step = self.random.choice(steps)
            repair: Any = self.random.choice([retry_step, skip_step, reassign_step])
            self._command(id_, repair, step, *(["other"] if repair is reassign_step else []), "stuck")
        else:
            self._command(id_, cancel_execution, "enough")

    def _command(self, id_: UUID, decision: Callable[..., Any], *command: Any) -> None:
        self._decide(id_, lambda execution: decision(execution, *command, cause=self._cause("user:operator")))

    def _decide(self, id_: UUID, decide: Decide) -> bool:
        """Carry a command out; False when whoever gave it does not hear back."""
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
            try:
                self.append(before, decided.execution, decided.events, decided.timers_set, decided.timers_dropped)
            except StoreError:
                continue
            return self.random.random() >= self.crashes
        return False

    def _wake(self) -> None:
        self.random.choice(self.workers).turn()

    def _poll(self) -> None:
        """Every ten seconds workers renew their leases; once in a while an operator looks for what is stuck."""
        for worker in self.workers:
            if worker.alive:
                worker.renew()
        for id_ in list(self.running) if self.random.random() < 0.1 else ():
            self._unstick(id_)
        if self.running or self._agenda:
            self.later(10, self._poll)

    def _unstick(self, id_: UUID) -> None:
        execution = self.execution(id_)
        if execution.status != RUNNING:
            self.running.pop(id_, None)  # it ended in an append whose acknowledgement was lost
            return
        for step, state in execution.steps.items():
            lost = state.started_at is not None and self.now - state.started_at > timedelta(seconds=100)
            if state.status in (STARTED, ACCEPTED) and lost and (id_, step, state.attempt) not in self._expected:
                self._command(id_, retry_step, step, "no answer")
                return

    def _replace(self, worker: Worker) -> None:
        self.workers[worker.number] = Worker(self, worker.number)

    def _release(self, worker: Worker) -> None:
        self.store.release([(id_, step) for id_, step, _ in self.store.held(worker.id)])
        self._wake()

    def _cause(self, actor: str) -> Cause:
        return Cause(self.now, actor)
