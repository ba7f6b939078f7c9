"""One worker of a simulation: takes due attempts, calls agents, records answers, fires timers, may die at any touch."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from commands.executions import answer_step
from commands.states import ExecutionStates
from domain.agents.calls import Answer
from domain.event import Cause
from domain.executions.decisions import start_step
from domain.executions.execution import STARTED, Execution
from domain.executions.firing import fire_timer
from domain.executions.timers import timers_dropped, timers_set
from domain.executions.unfolding import Unfolding
from domain.refusal import Refusal
from store.unit import StoreError

if TYPE_CHECKING:
    from simulated_world import World

Attempt = tuple[UUID, str, int]
Decide = Callable[[Execution], Unfolding]
Work = tuple[UUID, Decide]

LEASE = timedelta(seconds=30)
MAX_OPEN = 30


class Crash(Exception):
    """The process died."""


class Worker:
    """Lives until it crashes; all that it knows is then lost."""

    def __init__(self, world: "World", number: int) -> None:
        self.world = world
        self.number = number
        self.id = UUID(int=world.random.getrandbits(128))
        self.states = ExecutionStates(world.store, world.plans, size=200)  # type: ignore[arg-type]
        self.open: set[Attempt] = set()
        self.inbox: list[tuple[Attempt, Answer]] = []
        self.alive = True
        self.lease_until = world.now + LEASE
        self._unexplained: set[Attempt] = set()

    def deliver(self, attempt: Attempt, answer: Answer) -> None:
        """An agent has answered."""
        if self.alive and attempt in self.open:
            self.inbox.append((attempt, answer))
            self.turn()

    def turn(self) -> None:
        """Do whatever there is to do."""
        if not self.alive:
            return
        try:
            self._record()
            self._claim()
            self._fire()
        except Crash:
            self.alive = False
            self.world.crashed(self)

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

    def _record(self) -> None:
        answers, self.inbox = self.inbox, []
        self.open.difference_update(attempt for attempt, _ in answers)
        if answers:
            self._carry_out([(attempt[0], self._answering(attempt, answer)) for attempt, answer in answers])

    def _answering(self, attempt: Attempt, answer: Answer) -> Decide:
        _, step, number = attempt
        cause, take = self._cause(), self._capacity()
        return lambda execution: answer_step(execution, step, number, answer, cause, take=take)

    def _claim(self) -> None:
        self._touch()
        claimed = self.world.store.claim(self.id, min(3, self._capacity()))
        self._touch()
        cause = self._cause()
        idle = self._carry_out([(id_, _starting(step, attempt, cause)) for id_, step, attempt in claimed])
        self.world.store.drop(self.id, [claimed[n][:2] for n in idle])

    def _fire(self) -> None:
        cause = self._cause()
        due = self.world.store.overdue(self.world.now)
        self._touch()
        self._carry_out([(id_, _firing(step, kind, cause, self._capacity())) for id_, step, kind in due])

    def _carry_out(self, work: list[Work]) -> list[int]:
        """Decide and append, several decisions on one execution together; again on fresh state after any trouble.

        Returns which of the work came to nothing even so.
        """
        todo, fresh, nothing = list(range(len(work))), False, []
        while todo:
            self._touch()
            loaded = self.states.load((work[n][0] for n in todo), fresh=fresh)
            decided: dict[UUID, tuple[Execution, list[Unfolding]]] = {}
            idle = [n for n in todo if not _decide(loaded[work[n][0]], work[n], decided)]
            again = {id_ for id_, (before, unfoldings) in decided.items() if not self._append(before, unfoldings)}
            if fresh:
                nothing += idle
            todo = [n for n in todo if work[n][0] in again and n not in idle] + ([] if fresh else idle)
            fresh = True
        return nothing

    def _append(self, before: Execution, unfoldings: list[Unfolding]) -> bool:
        after = unfoldings[-1].execution
        events = [event for unfolding in unfoldings for event in unfolding.events]
        moved = timers_set(before.timers, after.timers), timers_dropped(before.timers, after.timers)
        self._touch()
        try:
            self.world.append(before, after, events, *moved, self.id)
        except StoreError:
            self.states.forget(before.id)
            return False
        self._touch()
        self.states.keep(after)
        for step in [step for unfolding in unfoldings for step in unfolding.taken]:
            state = after.steps[step]
            if state.status == STARTED:
                self.open.add((after.id, step, state.attempt))
                self.world.call(self, after, step)
        return True

    def _capacity(self) -> int:
        return max(0, MAX_OPEN - len(self.open))

    def _cause(self) -> Cause:
        return Cause(self.world.now, f"worker:{self.number}")

    def _touch(self) -> None:
        if self.world.random.random() < self.world.crashes:
            raise Crash


def _decide(loaded: Execution, work: Work, decided: dict[UUID, tuple[Execution, list[Unfolding]]]) -> bool:
    before, unfoldings = decided.get(work[0], (loaded, []))
    try:
        unfolding = work[1](unfoldings[-1].execution if unfoldings else before)
    except Refusal:
        return False
    if unfolding.events:
        decided[work[0]] = before, [*unfoldings, unfolding]
    return bool(unfolding.events)


def _starting(step: str, attempt: int, cause: Cause) -> Decide:
    return lambda execution: start_step(execution, step, attempt, cause)


def _firing(step: str, kind: str, cause: Cause, take: int) -> Decide:
    return lambda execution: fire_timer(execution, step, kind, cause, take)
