"""One worker of a simulation: takes due attempts, calls agents, records answers, fires timers, may die at any touch.

What it decides with is the real one's; this is its loop, as in scheduler.dispatcher, and its lease.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from simulated_appending import SimulatedAppending
from simulated_processes import SimulatedPlans
from simulated_reacting import SimulatedFiring, SimulatedReactor, SimulatedRecording
from simulated_store import Crash

from commands.states import ExecutionStates
from domain.agents.calls import AgentCall, Answer
from domain.event import Cause
from domain.executions.decisions.execution import admit_execution
from domain.executions.decisions.step import start_step
from domain.executions.engine.unfolding import Unfolding
from domain.executions.state.model import Execution
from scheduler.appending import Work
from scheduler.batch import Batch
from scheduler.firing import given_up
from scheduler.pipeline import Appended
from store.lists.slots import Queue

if TYPE_CHECKING:
    from simulated_world import World

Attempt = tuple[UUID, str, int]
Decide = Callable[[Execution], Unfolding]

LEASE = timedelta(seconds=30)
MAX_OPEN = 30


class Worker:
    """Lives until it crashes; all that it knows is then lost."""

    def __init__(self, world: "World", number: int) -> None:
        self.world = world
        self.number = number
        self.id = UUID(int=world.random.getrandbits(128))
        self.plans = SimulatedPlans(world.store, world.kept_plans)
        self.states = ExecutionStates(world.store, self.plans, size=60)  # type: ignore[arg-type]
        self.open: set[Attempt] = set()
        self.alive = True
        self.lease_until = world.now + LEASE
        self.appending = SimulatedAppending(self, self._arrived)
        self._reactor = SimulatedReactor(self)
        self._recording = SimulatedRecording(self, self._reactor.follow_up)
        self._firing = SimulatedFiring(self)
        self._unexplained: set[Attempt] = set()
        self._seen: list[Queue] = []
        self._at_work = False

    def deliver(self, attempt: Attempt, answer: Answer) -> None:
        """An agent has answered."""
        if self.alive and attempt in self.open:
            self._recording.add((AgentCall(*attempt, "", "", 1, None), answer))
            self.turn()

    def turn(self) -> None:
        """Do whatever there is to do."""
        self.awake(lambda: None)

    def awake(self, begin: Callable[[], None]) -> None:
        """Do something, then whatever else there is to do. Nothing while it is at work, for it does one at a time."""
        if not self.alive or self._at_work:
            return
        self._at_work = True
        try:
            begin()
            self._work()
        except Crash:
            self.alive = False
            self.world.crashed(self)
        finally:
            self._at_work = False

    def renew(self) -> None:
        """Show that it lives, end calls that were taken away, give back what it has without knowing."""
        self.lease_until = self.world.now + LEASE
        held = self.world.store.held(self.id)
        self.open.intersection_update(held)
        unexplained = {attempt for attempt in held if attempt not in self.open}
        self.world.store.release(
            [(id_, step) for id_, step, n in held if (id_, step, n) in unexplained & self._unexplained]
        )
        self._unexplained = unexplained
        self.turn()

    def touch(self) -> None:
        """About to do something outside, or just back from there: this is where processes die, and others go on."""
        if self.world.random.random() < self.world.crashes:
            raise Crash
        self.world.meanwhile()

    def cause(self, causation: str = "") -> Cause:
        """Now, by this worker."""
        return Cause(self.world.now, f"worker:{self.number}", causation)

    def capacity(self) -> int:
        """How many attempts it may take now."""
        return max(0, MAX_OPEN - len(self.open))

    def recorded(self, batch: Batch) -> None:
        """Calls whose attempts were given up end; those taken begin; what was asked of others is in hand."""
        assert not batch.broken, "nothing is so broken that it cannot be decided on"
        self.open.difference_update(given_up(batch))
        for execution, step in batch.taken:
            self.open.add((execution.id, step, execution.steps[step].attempt))
            self.world.agents.call(self, execution, step)
        self._reactor.add(batch.messages)

    def _arrived(self, appended: Appended[Work]) -> None:
        self.appending.settle(appended)
        self._recording.unstick()

    def _work(self) -> None:
        """In the real one's order; what has to wait for a batch that is on its way is done when that has arrived."""
        while self._recording.can_go_on:
            self._recording.go_on(lambda: self.world.random.random() < 0.7)
        for act in (self._firing.fire_due, self._react, self._admit, self._claim):
            if self.appending.busy:
                return
            act()

    def _react(self) -> None:
        self._reactor.claim()
        while self._reactor.holding:
            self._reactor.react()

    def _admit(self) -> None:
        """As scheduler.admitting; at times it acts on what it saw a while ago, and others have acted since."""
        seen, self._seen = self._seen or self.world.store.relations.room(5), []
        if seen and self.world.random.random() < 0.2:
            self._seen = seen
            self.world.later(self.world.random.uniform(0, 3), self.turn)
            return
        admitted: list[UUID] = []
        for queue in seen:
            limit = self.plans.get(queue.process_id, self.plans.latest(queue.process_id).process.latest).max_running
            admitted += queue.waiting if limit is None else queue.waiting[: max(0, limit - queue.running)]
        if admitted:
            self.touch()
            batch = Batch(self.states.load(admitted), self.id)
            stale = [id_ for id_ in admitted if not batch.decide(id_, self._admitting(batch))]
            for id_ in stale:
                self.states.forget(id_)
            self.appending.now(batch)

    def _admitting(self, batch: Batch) -> Decide:
        cause, take = self.cause("room"), self.capacity() - batch.taking
        return lambda execution: admit_execution(execution, cause, take)

    def _claim(self) -> None:
        self.touch()
        todo, fresh = self.world.store.claim(self.id, min(3, self.capacity())), False
        while todo:
            self.touch()
            batch = Batch(self.states.load((id_ for id_, _, _ in todo), fresh=fresh), self.id)
            idle = [due for due in todo if not batch.decide(due[0], self._starting(due))]
            again = self.appending.now(batch)
            if fresh and idle:
                self.world.store.drop(self.id, [(id_, step) for id_, step, _ in idle])
                idle = []
            todo = [due for due in todo if due[0] in again] + idle
            fresh = True

    def _starting(self, due: Attempt) -> Decide:
        _, step, attempt = due
        cause = self.cause(f"start:{step}:{attempt}")
        return lambda execution: start_step(execution, step, attempt, cause)
