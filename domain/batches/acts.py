"""The acts of batches: what each needs, and the decision that it leads to on one execution."""

from collections.abc import Callable

import msgspec

from domain.batches.batch import FrozenBatch
from domain.event import Cause
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.repairs import reassign_step, retry_execution, retry_step, skip_step
from domain.executions.engine.unfolding import Unfolding
from domain.executions.state.model import Execution
from domain.refusal import Problem

ActOn = Callable[[Execution, FrozenBatch, Cause], Unfolding]
"""Decides on one execution, as the act on it alone does. Raises the refusals of that act."""


class BatchAct(msgspec.Struct, frozen=True):
    """An act. takes_step, needs_step: whether it may, or must, name a step; takes_agent: it names an agent."""

    on: ActOn
    takes_step: bool = True
    needs_step: bool = False
    takes_agent: bool = False


def _cancel(execution: Execution, batch: FrozenBatch, cause: Cause) -> Unfolding:
    return cancel_execution(execution, batch.reason, cause)


def _retry(execution: Execution, batch: FrozenBatch, cause: Cause) -> Unfolding:
    if batch.step:
        return retry_step(execution, batch.step, batch.reason, cause)
    return retry_execution(execution, batch.reason, cause)


def _skip(execution: Execution, batch: FrozenBatch, cause: Cause) -> Unfolding:
    return skip_step(execution, batch.step, batch.reason, cause)


def _reassign(execution: Execution, batch: FrozenBatch, cause: Cause) -> Unfolding:
    return reassign_step(execution, batch.step, batch.agent, batch.reason, cause)


ACTS: dict[str, BatchAct] = {
    "cancel": BatchAct(_cancel, takes_step=False),
    "retry": BatchAct(_retry),
    "skip": BatchAct(_skip, needs_step=True),
    "reassign": BatchAct(_reassign, needs_step=True, takes_agent=True),
}


def problems_of_act(act: str, step: str, agent: str) -> list[Problem]:
    """Return everything wrong with what an act names."""
    known = ACTS.get(act)
    if known is None:
        return [Problem("invalid_value", f"there is no act {act[:60]!r}", "act", hint=f"known: {', '.join(ACTS)}")]
    problems = []
    if known.needs_step and not step:
        problems.append(Problem("missing", f"{act} names a step", "step"))
    if step and not known.takes_step:
        problems.append(Problem("not_applicable", f"{act} concerns whole executions: it names no step", "step"))
    if known.takes_agent and not agent:
        problems.append(Problem("missing", f"{act} names an agent", "agent"))
    if agent and not known.takes_agent:
        problems.append(Problem("not_applicable", f"{act} names no agent", "agent"))
    return problems
