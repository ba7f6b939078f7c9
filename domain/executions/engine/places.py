"""The place in a definition of an expression that could not be evaluated; found only after it has failed."""

from dataclasses import fields

from domain.language.expressions import (
    JSON,
    Condition,
    EvaluationFailed,
    Scope,
    TextTemplate,
    ValueTemplate,
    parse_value,
)
from domain.processes.plan import PlannedGateway, PlannedStep

# By field of a planned step, its name in a definition, where that is another one.
_WRITTEN = {"input": "input_mapping"}


def place_of(step: PlannedStep, error: EvaluationFailed, visible: Scope) -> str:
    """Return the place of the failed expression, as ``parameters.claim``; empty if it cannot be found again."""
    if isinstance(step, PlannedGateway):
        for at, route in enumerate(step.routes):
            if isinstance(route.condition, Condition) and _fails(route.condition, error, visible):
                return f"routes[{at}].condition"
        return ""
    for field in fields(step):
        value = getattr(step, field.name)
        if field.name != "condition" and isinstance(value, TextTemplate | ValueTemplate):
            if not _fails(value, error, visible):
                continue
            inside = _inside(value.value, error, visible) if isinstance(value, ValueTemplate) else ""
            return _WRITTEN.get(field.name, field.name) + inside
    return ""


def _fails(text: Condition | TextTemplate | ValueTemplate, error: EvaluationFailed, visible: Scope) -> bool:
    try:
        if isinstance(text, Condition):
            text.evaluate(visible)
        else:
            text.render(visible)
    except EvaluationFailed as again:
        return (again.code, again.message) == (error.code, error.message)
    return False


def _inside(value: JSON, error: EvaluationFailed, visible: Scope) -> str:
    """Return the path inside a value to the text that fails."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        if _fails(parse_value(part), error, visible):
            return (f".{str(key)[:60]}" if isinstance(value, dict) else f"[{key}]") + _inside(part, error, visible)
    return ""
