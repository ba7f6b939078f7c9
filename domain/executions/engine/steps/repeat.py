"""One child after the other, until a condition on the last one holds."""

from datetime import datetime
from typing import Any
from uuid import UUID

from domain.agents.calls import StepError
from domain.executions.engine.calling import accepted, input_of, request
from domain.executions.engine.scope import NamedScope, scope
from domain.executions.engine.unfolding import AttemptFailed, Unfolding
from domain.executions.events.repetition import RoundCompleted
from domain.executions.events.step import StepCompleted
from domain.executions.state.model import Repetition, StepState
from domain.language.expressions import EvaluationFailed, Scope, written
from domain.language.types.steps import PlannedRepeat
from domain.processes.plan import PlannedSubProcess


def begin(unfolding: Unfolding, step: PlannedSubProcess, attempt: int, visible: Scope) -> bool:
    """Request the child of the first round, or of the one that an earlier attempt had reached.

    Raises EvaluationFailed of the input.
    """
    reached = _reached(unfolding, step)
    mapped = step.input.render(visible)
    assert isinstance(mapped, dict)
    return _request(unfolding, step, attempt, {**mapped, **reached.carried}, reached.round)


def begin_again(unfolding: Unfolding, step: PlannedSubProcess, before: StepState) -> bool:
    """Request the child of the round that the attempt before had reached. Raises AttemptFailed."""
    return _go_on(unfolding, step, before.attempt + 1, goes_on=False)


def next_round(unfolding: Unfolding, step: PlannedSubProcess) -> bool:
    """Request the child of the next round. Raises AttemptFailed when its input cannot be worked out."""
    return _go_on(unfolding, step, unfolding.execution.steps[step.id].attempt, goes_on=True)


def complete_round(unfolding: Unfolding, step: PlannedSubProcess, child: UUID, round: int, output: Any) -> bool:
    """Decide after a round: complete the step, wait for the next round, or begin it.

    Returns whether the step has ended. Raises AttemptFailed: ``rounds_exhausted``, or the error of `until` or `carry`.
    """
    repeat, state = _repeat(step), unfolding.execution.steps[step.id]
    facts: dict[str, Any] = {"step": step.id, "attempt": state.attempt}
    last = NamedScope(scope(unfolding.execution, unfolding.budget), {"round": round, "last": {"output": output}})
    place, carried = "until", dict[str, Any]()
    next_at: datetime | None = None
    try:
        holds = repeat.until.evaluate(last)
        goes_on = not holds and round < repeat.max
        if goes_on:
            place = "carry"
            carried = _carried(repeat, last)
            next_at = None if repeat.delay is None else unfolding.cause.at + repeat.delay
    except EvaluationFailed as error:
        unfolding.record(RoundCompleted, round=round, child=child, **facts)
        inside = f".{written(error.where)}" if error.where else ""
        message = f"repeat.{place}{inside}: {error.message}"
        raise AttemptFailed(StepError(error.code, message, permanent=True)) from None
    unfolding.record(RoundCompleted, round=round, child=child, carried=carried, next_at=next_at, **facts)
    if goes_on:
        return False if next_at is not None else next_round(unfolding, step)
    if not holds and repeat.on_exhausted == "fail":
        message = f"`until` did not hold after {repeat.max} rounds"
        raise AttemptFailed(StepError("rounds_exhausted", message, permanent=True))
    completed = output if step.output_key is None else {step.output_key: output}
    unfolding.record(StepCompleted, output=completed, started_at=state.started_at, **facts)
    return True


def _go_on(unfolding: Unfolding, step: PlannedSubProcess, attempt: int, *, goes_on: bool) -> bool:
    reached = _reached(unfolding, step)
    given = {**input_of(unfolding.execution.steps[step.id]), **reached.carried}
    try:
        return _request(unfolding, step, attempt, given, reached.round, goes_on=goes_on)
    except EvaluationFailed as error:
        raise AttemptFailed(StepError(error.code, error.message, permanent=True)) from None


def _request(
    unfolding: Unfolding,
    step: PlannedSubProcess,
    attempt: int,
    given: dict[str, Any],
    round: int,
    *,
    goes_on: bool = False,
) -> bool:
    input = accepted(step, unfolding.execution.callees[step.id], given)
    return request(unfolding, step, attempt, input, round=round, goes_on=goes_on)


def _reached(unfolding: Unfolding, step: PlannedSubProcess) -> Repetition:
    """Return the round to begin: after all rounds the first one again, in a new attempt."""
    reached = unfolding.execution.repetitions.get(step.id)
    return Repetition() if reached is None or reached.round > _repeat(step).max else reached


def _carried(repeat: PlannedRepeat, last: Scope) -> dict[str, Any]:
    rendered = repeat.carry.render(last)
    assert isinstance(rendered, dict)
    return rendered


def _repeat(step: PlannedSubProcess) -> PlannedRepeat:
    assert step.repeat is not None
    return step.repeat
