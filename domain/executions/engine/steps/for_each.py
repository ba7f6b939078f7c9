"""A child for each item of a list: in order, a bounded number at once, and the results in the order of the items."""

from typing import Any
from uuid import UUID

import msgspec

from domain.agents.calls import StepError
from domain.executions.engine.calling import child_input, request_item
from domain.executions.engine.closing import close
from domain.executions.engine.scope import NamedScope, scope
from domain.executions.engine.unfolding import AttemptFailed, Unfolding
from domain.executions.events.repetition import ItemCompleted, ItemFailed, ItemsListed, ItemsResumed
from domain.executions.events.step import StepCompleted
from domain.executions.state.model import Repetition
from domain.executions.state.repetition import KeptItems, open_children, results_of, unfinished
from domain.language.expressions import EvaluationFailed, written
from domain.language.types.inputs import kind_of
from domain.language.types.steps import PlannedForEach
from domain.processes.plan import PlannedSubProcess

# A list may hold many times more than one step may render.
LARGEST_LIST = 16
LONGEST_KEY = 200


def begin(unfolding: Unfolding, step: PlannedSubProcess, attempt: int) -> bool:
    """Read the list once, and request the first children. Returns whether the step has ended at once.

    Raises EvaluationFailed: ``items_not_a_list``, ``too_many_items``, ``duplicate_item_key``, ``item_key_invalid``, or
    that of an expression; AttemptFailed when an item fails at once.
    """
    if step.id in unfolding.execution.repetitions:
        return resume(unfolding, step, attempt)
    each = _each(step)
    limits = unfolding.execution.plan.limits
    try:
        items = each.items.render(scope(unfolding.execution, unfolding.budget, limits.max_result * LARGEST_LIST))
    except EvaluationFailed as error:
        raise EvaluationFailed(error.code, f"for_each.items: {error.message}") from None
    if not isinstance(items, list):
        raise EvaluationFailed("items_not_a_list", f"for_each.items is a list, not {kind_of(items)}")
    if len(items) > limits.max_items:
        message = f"for_each goes through at most {limits.max_items} items; this list has {len(items)}"
        raise EvaluationFailed("too_many_items", message)
    keys = _keys(unfolding, each, items)
    unfolding.record(ItemsListed, step=step.id, attempt=attempt, items=items, keys=keys)
    return _proceed(unfolding, step)


def resume(unfolding: Unfolding, step: PlannedSubProcess, attempt: int) -> bool:
    """Go through the items again that have no result. Raises AttemptFailed."""
    items = unfinished(unfolding.execution.repetitions[step.id])
    unfolding.record(ItemsResumed, step=step.id, attempt=attempt, items=items)
    return _proceed(unfolding, step)


def complete_item(unfolding: Unfolding, step: PlannedSubProcess, item: int, child: UUID, output: Any) -> bool:
    """Keep the result of an item and go on. Returns whether the step has ended. Raises AttemptFailed."""
    attempt = unfolding.execution.steps[step.id].attempt
    size = len(msgspec.json.encode(output))
    unfolding.record(ItemCompleted, step=step.id, attempt=attempt, item=item, child=child, output=output, size=size)
    return _proceed(unfolding, step)


def fail_item(unfolding: Unfolding, step: PlannedSubProcess, item: int, child: UUID | None, error: StepError) -> bool:
    """Go on without an item, or fail the attempt. Returns whether the step has ended. Raises AttemptFailed."""
    _fail(unfolding, step, item, child, error)
    return _proceed(unfolding, step)


def _fail(unfolding: Unfolding, step: PlannedSubProcess, item: int, child: UUID | None, error: StepError) -> None:
    execution = unfolding.execution
    attempt, failed = execution.steps[step.id].attempt, execution.repetitions[step.id].failed + 1
    unfolding.record(ItemFailed, step=step.id, attempt=attempt, item=item, child=child, error=error, failed=failed)
    if _each(step).on_error == "fail":
        for other in open_children(execution, step.id):
            close(unfolding, other, step.id, attempt, "item_failed")
        message = f"{_called(execution.repetitions[step.id], item)}: {error.message}"
        raise AttemptFailed(StepError(error.code, message, permanent=error.permanent))


def _proceed(unfolding: Unfolding, step: PlannedSubProcess) -> bool:
    """Request children until as many run as may; complete the step after its last item."""
    execution, each = unfolding.execution, _each(step)
    while True:
        repetition = execution.repetitions[step.id]
        if repetition.ended == len(repetition.todo):
            return _complete(unfolding, step, repetition)
        if repetition.begun == len(repetition.todo) or repetition.begun - repetition.ended >= each.max_parallel:
            return False
        _next(unfolding, step, repetition)


def _next(unfolding: Unfolding, step: PlannedSubProcess, repetition: Repetition) -> None:
    execution, each = unfolding.execution, _each(step)
    item = repetition.todo[repetition.begun]
    named = NamedScope(scope(execution, unfolding.budget), {each.name: repetition.items[item]})
    try:
        input = child_input(step, execution.callees[step.id], named)
    except EvaluationFailed as error:
        place = f"input_mapping.{written(error.where)}: " if error.where else ""
        _fail(unfolding, step, item, None, StepError(error.code, place + error.message, permanent=True))
        return
    key = repetition.keys[item] if repetition.keys else ""
    request_item(unfolding, step, execution.steps[step.id].attempt, input, item, key)


def _complete(unfolding: Unfolding, step: PlannedSubProcess, repetition: Repetition) -> bool:
    """Complete the step with the list, or with a reference to it where it is too large for one event."""
    state = unfolding.execution.steps[step.id]
    most = unfolding.execution.plan.limits.max_result
    output: Any = results_of(repetition, collects=_each(step).on_error == "collect")
    # The outputs alone may be too many; the errors that a step collects count too.
    size = repetition.size if repetition.size > most else len(msgspec.json.encode(output))
    if size > most:
        output = KeptItems(len(repetition.items), size).value
    if step.output_key is not None:
        output = {step.output_key: output}
    facts = {"step": step.id, "attempt": state.attempt, "started_at": state.started_at}
    unfolding.record(StepCompleted, output=output, **facts)
    return True


def _keys(unfolding: Unfolding, each: PlannedForEach, items: list[Any]) -> list[str]:
    if each.key is None:
        return []
    keys: dict[str, int] = {}
    for at, item in enumerate(items):
        named = NamedScope(scope(unfolding.execution, unfolding.budget), {each.name: item})
        try:
            value = each.key.render(named)
        except EvaluationFailed as error:
            raise EvaluationFailed(error.code, f"for_each.key of item {at}: {error.message}") from None
        if isinstance(value, bool) or not isinstance(value, str | int) or not 0 < len(str(value)) <= LONGEST_KEY:
            message = f"for_each.key of item {at} is a text of 1 to {LONGEST_KEY} characters or a whole number"
            raise EvaluationFailed("item_key_invalid", message)
        key = str(value)
        if key in keys:
            message = f"the items {keys[key]} and {at} have the same key, {key!r}"
            raise EvaluationFailed("duplicate_item_key", message)
        keys[key] = at
    return list(keys)


def _called(repetition: Repetition, item: int) -> str:
    return f"item {item} ({repetition.keys[item]!r})" if repetition.keys else f"item {item}"


def _each(step: PlannedSubProcess) -> PlannedForEach:
    assert step.for_each is not None
    return step.for_each
