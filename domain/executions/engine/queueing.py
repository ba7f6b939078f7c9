"""The line in which an execution waits, by its input: the key whose slots it takes, and its priority."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain.language.expressions import EvaluationFailed, printed
from domain.language.types.slots import HIGHEST_PRIORITY, LONGEST_KEY
from domain.processes.plan import Plan
from domain.refusal import Malformed, Problem


def key_of(plan: Plan, input: Mapping[str, Any]) -> str:
    """Return the key of an execution with this input; empty where the process has one line for all, and for null.

    Raises EvaluationFailed, ``slot_key_invalid`` or of the expression.
    """
    if plan.slot_key is None:
        return ""
    value = plan.slot_key.render(_scope(plan, input))
    if isinstance(value, list | dict):
        kind = "a list" if isinstance(value, list) else "an object"
        raise EvaluationFailed("slot_key_invalid", f"a key is text, a number, true or false, not {kind}")
    text = "" if value is None else printed(value, 0)
    if len(text) > LONGEST_KEY:
        message = f"a key is at most {LONGEST_KEY} characters long, and this one is {len(text):,}"
        raise EvaluationFailed("slot_key_invalid", message)
    return text


def priority_of(plan: Plan, input: Mapping[str, Any]) -> int:
    """Return the priority of an execution with this input.

    Raises EvaluationFailed, ``priority_invalid`` or of the expression.
    """
    if isinstance(plan.priority, int):
        return plan.priority
    value = plan.priority.render(_scope(plan, input))
    number = Decimal("nan") if value is None or isinstance(value, bool | str | list | dict) else Decimal(value)
    if not number.is_finite() or number != number.to_integral_value():
        raise EvaluationFailed("priority_invalid", "a priority is a whole number, and the input gives something else")
    if abs(number) > HIGHEST_PRIORITY:
        message = f"a priority is from -{HIGHEST_PRIORITY} to {HIGHEST_PRIORITY}, and the input gives another number"
        raise EvaluationFailed("priority_invalid", message)
    return int(number)


def refuse_misplaced(plan: Plan, input: Mapping[str, Any]) -> None:
    """Raise Malformed, with what is wrong located in the definition, if the input gives no key or no priority."""
    problems = []
    for path, evaluate in (("max_running.per", key_of), ("priority", priority_of)):
        try:
            evaluate(plan, input)
        except EvaluationFailed as failed:
            problems.append(Problem(failed.code, f"`{path}` of the process: {failed.message}", path))
    if problems:
        raise Malformed(problems[0].message, problems, code=problems[0].code)


def _scope(plan: Plan, input: Mapping[str, Any]) -> Mapping[str, object]:
    return {"input": {**plan.nulls, **input}}
