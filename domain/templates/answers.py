"""Answers to the parameters of a template: checked with all problems at once, defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from domain.jsonvalue import MOST_PROBLEMS, JsonValue, storable_problems
from domain.language.expressions import EvaluationFailed, parse_condition
from domain.language.types.inputs import same
from domain.language.types.output_schema import compile_output_schema
from domain.language.types.parts import ABSENT
from domain.refusal import Problem
from domain.templates.kinds import WrongValue, bound_of, size_of, value_of
from domain.templates.parameters import DeclaredParameters, Parameter
from domain.words import nearest

_UNITS = {"array": "items", "object": "members", "money": "", "duration": "", "number": "", "integer": ""}


@dataclass(frozen=True, slots=True)
class ParameterAnswers:
    """values: of every parameter, null where there is none. problems: all of them; the values of those are null."""

    values: dict[str, JsonValue]
    problems: tuple[Problem, ...]


def check_answers(
    parameters: DeclaredParameters, answers: Mapping[str, JsonValue], path: str = "parameters"
) -> ParameterAnswers:
    """Return the values of all parameters from the answers, and every problem at a path like ``parameters.x``.

    An answer to a parameter whose `when` does not hold counts for nothing. Null is no answer.
    """
    values: dict[str, JsonValue] = {}
    problems: list[Problem] = []
    for name, parameter in parameters.items():
        values[name] = None
        at = f"{path}.{name}"
        applies = _applies(parameter, values, at, problems)
        answer = answers.get(name)
        if not applies:
            continue
        if answer is not None:
            unfit = storable_problems(answer, at)
            problems += unfit or value_problems(parameter, answer, at)
            values[name] = None if unfit else kept(parameter, answer)
        elif parameter.default is not ABSENT:
            values[name] = kept(parameter, parameter.default)
        elif parameter.required:
            problems.append(Problem("required_parameter", f"the parameter {name!r} is required", at))
    unknown = [name for name in answers if name not in parameters]
    problems += [_unknown(name, parameters, path) for name in unknown[:MOST_PROBLEMS]]
    return ParameterAnswers(values, tuple(problems[:MOST_PROBLEMS]))


def kept(parameter: Parameter, value: JsonValue) -> JsonValue:
    """Return a value in the form in which it is kept; null for one of another type."""
    try:
        return value_of(parameter.type, value)
    except WrongValue:
        return None


def value_problems(parameter: Parameter, value: JsonValue, path: str) -> list[Problem]:
    """Return every problem of a value, null aside, of a parameter."""
    try:
        value = value_of(parameter.type, value)
    except WrongValue as wrong:
        return [Problem(wrong.code, f"{path}: {wrong}", path)]
    problems: list[Problem] = []
    if parameter.enum is not None and not any(same(value, allowed) for allowed in parameter.enum):
        shown = ", ".join(repr(item)[:40] for item in parameter.enum[:20])
        problems.append(
            Problem("not_in_enum", f"{path} is none of the values it may have", path, hint=f"one of: {shown}")
        )
    problems += _bound_problems(parameter, value, path)
    if parameter.pattern is not None and isinstance(value, str):
        schema = compile_output_schema({"type": "string", "pattern": parameter.pattern})
        if schema.problems(value):
            message = f"{path} does not match the pattern `{parameter.pattern[:100]}`"
            problems.append(Problem("pattern_mismatch", message, path))
    if parameter.items is not None and isinstance(value, list):
        for number, item in enumerate(value):
            try:
                value_of(parameter.items, item)
            except WrongValue as wrong:
                problems.append(Problem(wrong.code, f"{path}[{number}]: {wrong}", f"{path}[{number}]"))
    return problems[:MOST_PROBLEMS]


def _bound_problems(parameter: Parameter, value: JsonValue, path: str) -> list[Problem]:
    size = size_of(parameter.type, value)
    if size is None:
        return []
    unit = _UNITS.get(parameter.type, "characters")
    found: list[Problem] = []
    for bound, word in ((parameter.minimum, "least"), (parameter.maximum, "most")):
        if bound is None:
            continue
        limit = bound_of(parameter.type, bound)
        # Both are of the measure of the one type.
        low, high = (size, limit) if word == "least" else (limit, size)
        if low < high:  # type: ignore[operator]
            code = "too_small" if word == "least" else "too_large"
            found.append(Problem(code, f"{path} is at {word} {bound} {unit}".strip(), path))
    return found


def _applies(parameter: Parameter, values: dict[str, JsonValue], path: str, problems: list[Problem]) -> bool:
    """Return whether the `when` of a parameter holds; one that fails is a problem."""
    if parameter.when is None:
        return True
    try:
        condition = parse_condition(parameter.when, ("parameters",))
        return condition.evaluate(cast("Mapping[str, object]", {"parameters": values}))
    except EvaluationFailed as failure:
        problems.append(Problem("when_failed", f"`when` of {path} has no answer: {failure.message}", path))
        return False


def _unknown(name: str, parameters: DeclaredParameters, path: str) -> Problem:
    close = nearest(name, parameters)
    hint = f"did you mean {close!r}?" if close else f"declared: {', '.join(list(parameters)[:20]) or 'nothing'}"
    return Problem("unknown_parameter", f"there is no parameter {name[:80]!r}", f"{path}.{name[:80]}", hint=hint)
