"""The people of a simulation: approvers, and operators who intervene."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.costs.usage import Metered
from domain.event import Cause, Event
from domain.executions.decisions.approval import Verdict, decide_approval
from domain.executions.decisions.cost import Correction, correct_costs
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.repairs import reassign_step, retry_execution, retry_step, skip_step
from domain.executions.decisions.timer import fire_timer_early, move_timer
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.approval import ApprovalRequested
from domain.executions.events.cost import CostRecorded
from domain.executions.events.outcomes import ACCEPTED, STARTED
from domain.executions.state.model import Execution
from domain.money import Money

PRICED = Metered(calculated=Money(Decimal("0.001"), "USD"), calculated_by="override")

if TYPE_CHECKING:
    from simulated_world import World


class People:
    """Approvers and operators; they act on recorded events, and some of their commands are refused."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def started(self, id_: UUID) -> None:
        """React to the start of an execution: an operator may intervene later."""
        if self._world.random.random() < 0.3:
            self._world.later(self._world.random.uniform(0, 60), lambda: self._interfere(id_))

    def failed(self, id_: UUID) -> None:
        """React to a failed execution: an operator may retry it."""
        if self._world.random.random() < 0.2:
            again = self._world.random.uniform(0, 20)
            self._world.later(again, lambda: self._world.command(id_, retry_execution, "again"))

    def approval_requested(self, id_: UUID, event: ApprovalRequested) -> None:
        """React to a requested approval: two approvers decide, or one, or none in time."""
        for approver in ("user:ann", "user:bob"):
            if self._world.random.random() < 0.4:
                verdict: Verdict = self._world.random.choice(["granted", "granted", "refused", "changes_requested"])
                decide = partial(
                    self._world.command, id_, decide_approval, event.step, event.attempt, approver, verdict, "so"
                )
                self._world.later(self._world.random.uniform(0, 60), decide)

    def unstick(self, id_: UUID) -> None:
        """Retry a step whose answer must have been lost."""
        execution = self._world.execution(id_)
        for step, state in execution.steps.items():
            lost = state.started_at is not None and self._world.now - state.started_at > timedelta(seconds=100)
            expected = (id_, step, state.attempt) in self._world.agents.expected
            if state.status in (STARTED, ACCEPTED) and lost and not expected:
                self._world.command(id_, retry_step, step, "no answer")
                return

    def _interfere(self, id_: UUID) -> None:
        """Carry out a random command of an operator, sensible or not."""
        execution = self._world.execution(id_)
        timers, steps = list(execution.timers), list(execution.steps)
        whim = self._world.random.random()
        unpriced = [(n, e) for n, e in enumerate(self._world.store.stream(id_), 1) if _lacks_price(e)]
        if unpriced and self._world.random.random() < 0.5:
            recorded, booked = self._world.random.choice(unpriced)
            self._world.command(id_, partial(_price, booked, recorded))
        elif timers and whim < 0.4:
            step, kind = self._world.random.choice(timers)
            if whim < 0.2:
                self._world.command(id_, fire_timer_early, step, kind, "why wait")
            else:
                self._world.command(id_, move_timer, step, kind, self._world.now + timedelta(seconds=15), "later")
        elif steps and whim < 0.8:
            step = self._world.random.choice(steps)
            repair: Any = self._world.random.choice([retry_step, skip_step, reassign_step])
            self._world.command(id_, repair, step, *(["other"] if repair is reassign_step else []), "stuck")
        else:
            self._world.command(id_, cancel_execution, "enough")


def _lacks_price(event: Event) -> bool:
    return isinstance(event, CostRecorded) and event.cost is None


def _price(booked: CostRecorded, recorded: int, execution: Execution, cause: Cause) -> Unfolding:
    """Price a use that had no price, unless it was priced before."""
    before = PRICED.calculated if PRICED.calculated in execution.steps[booked.step].costs else None
    return correct_costs(execution, [Correction(booked, recorded, before, PRICED)], "a price", cause)
