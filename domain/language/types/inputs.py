"""The input of an execution: checked against its declaration, defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.jsonvalue import storable_problems
from domain.language.types.definition import Definition, InputField
from domain.language.types.parts import ABSENT
from domain.refusal import Malformed, Problem
from domain.words import nearest

KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The declared input. fields: None without a declaration, then any field is accepted.

    fixed: merged under the caller's. keeps_null: null for an optional field without a default is a value.
    """

    fields: Mapping[str, InputField] | None
    fixed: Mapping[str, Any]
    keeps_null: bool = True

    @property
    def bare(self) -> "InputSpec":
        """The same without fixed input, for triggers that bring their own."""
        return InputSpec(self.fields, {}, self.keeps_null)

    @property
    def nulls(self) -> dict[str, None]:
        """The optional fields without a default, which read as null where the input does not hold them."""
        optional = (self.fields or {}).items() if self.keeps_null else ()
        return {name: None for name, field in optional if not field.required and field.default is ABSENT}


def input_spec(definition: Definition, *, keeps_null: bool = True) -> InputSpec:
    """Return the input specification of an execution; the fixed input is that of the first enabled manual trigger."""
    enabled = (each.input for each in definition.triggers if each.enabled and each.type == "manual")
    return InputSpec(definition.input, next(enabled, {}), keeps_null)


def accept_input(spec: InputSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the complete input of an execution from the caller's values.

    Null counts as not given where the field has a default or is required; it is the value of any other field. A boolean
    is not a number, and 1.0 is not an integer. An optional field without a default stays out where it is not given.
    Raises Malformed with every Problem, at paths like ``input.x``: ``unknown_input``, ``required_input``,
    ``wrong_type``, ``not_in_enum``.
    """
    merged = {**spec.fixed, **given}
    problems = storable_problems(merged, "input")
    if spec.fields is None:
        _refuse(problems)
        return merged
    accepted: dict[str, Any] = {}
    for name, field in spec.fields.items():
        is_given, value = name in merged, merged.pop(name, None)
        if value is not None:
            problems += value_problems(field, value, f"input.{name}")
            accepted[name] = value
        elif field.default is not ABSENT:
            accepted[name] = field.default
        elif field.required:
            problems.append(Problem("required_input", f"the input {name!r} is required", f"input.{name}"))
        elif is_given and spec.keeps_null:
            accepted[name] = None
    problems += [_unknown(name, spec.fields) for name in list(merged)[:100]]
    _refuse(problems)
    return accepted


def value_problems(field: InputField, value: Any, path: str) -> list[Problem]:
    """Return the problems of a value, null aside, of a declared field."""
    if field.type is not None and not is_of_type(value, field.type):
        article = "an" if field.type[0] in "aio" else "a"
        return [Problem("wrong_type", f"{path} is {article} {field.type}, not {kind_of(value)}", path)]
    if field.enum is not None and not any(same(value, allowed) for allowed in field.enum):
        allowed = ", ".join(repr(item)[:40] for item in field.enum[:20])
        return [Problem("not_in_enum", f"{path} is none of the values it may have", path, hint=f"one of: {allowed}")]
    return []


def is_of_type(value: Any, declared: str) -> bool:
    """Return whether a JSON value is of a declared type: a boolean is no number, a fraction no integer."""
    return isinstance(value, KINDS[declared]) and (declared == "boolean" or not isinstance(value, bool))


def kind_of(value: Any) -> str:
    """Return the JSON kind of a value, with its article, as messages name it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a string", int: "an integer", float: "a number", list: "an array", dict: "an object"}
    return names.get(type(value), "no JSON value")


def same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal, with true and 1 different."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    return bool(left == right)


def _unknown(name: str, fields: Mapping[str, InputField]) -> Problem:
    close = nearest(name, fields)
    hint = f"did you mean {close!r}?" if close else f"declared: {', '.join(list(fields)[:20]) or 'nothing'}"
    return Problem("unknown_input", f"there is no input {name[:80]!r}", f"input.{name[:80]}", hint=hint)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise Malformed("the input is not what the process takes", problems)
