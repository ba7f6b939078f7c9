"""The form that the declared input of a process makes: its controls, and the input that their texts state."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from domain.jsonvalue import parse_json
from domain.language.types.definition import InputField
from domain.language.types.inputs import InputSpec, accept_input
from domain.language.types.parts import ABSENT
from domain.masking import MASK
from domain.refusal import Malformed, Problem
from web.controls import FormControl, problems_at

WHOLE = "input"
"""The field for the whole input of a process that declares none."""
PREFIX = "input."
_TYPES = {"array": "a list, as JSON", "object": "an object, as JSON", None: "any value: JSON, or else text"}


def controls_of(
    spec: InputSpec, given: Mapping[str, str] | None = None, problems: Iterable[Problem] = ()
) -> list[FormControl]:
    """Return the controls for an input. given: the texts that were sent; default: those of the defaults."""
    found = list(problems)
    if spec.fields is None:
        text = (_json(spec.fixed) if spec.fixed else "") if given is None else given.get(WHOLE, "")
        hints = ["an object, as JSON; this process takes any input"]
        return [FormControl(WHOLE, "Input", "json", text, hints, problems=problems_at(WHOLE, found))]
    return [_control(name, field, spec.fixed, given, found) for name, field in spec.fields.items()]


def texts_of(spec: InputSpec, input: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of a form that state an input again; masked values are left out."""
    if spec.fields is None:
        return {WHOLE: _json({name: value for name, value in input.items() if value != MASK})}
    stated = {name: input[name] for name in spec.fields if name in input and input[name] != MASK}
    return {f"{PREFIX}{name}": _text(spec.fields[name], value) for name, value in stated.items()}


def untaken(spec: InputSpec, input: Mapping[str, Any]) -> list[str]:
    """Return the names of an earlier input that a form does not state: masked ones, and those that are gone."""
    return [
        name for name, value in input.items() if value == MASK or (spec.fields is not None and name not in spec.fields)
    ]


def read_input(spec: InputSpec, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the input that the texts of a form state. Raises Malformed with every problem, also of wrong values."""
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    if spec.fields is None:
        values = _whole(given.get(WHOLE, ""), problems)
    for name, field in (spec.fields or {}).items():
        _read(name, field, spec.fixed, given.get(f"{PREFIX}{name}", ""), values, problems)
    broken = [problem.path for problem in problems]
    try:
        accept_input(spec, values)
    except Malformed as malformed:
        problems += [each for each in malformed.problems if each.path not in broken]
    if problems:
        raise Malformed("the input is not what the process takes", problems)
    return values


def _control(
    name: str, field: InputField, fixed: Mapping[str, Any], given: Mapping[str, str] | None, problems: list[Problem]
) -> FormControl:
    key = f"{PREFIX}{name}"
    stated = fixed.get(name, field.default)
    text = _text(field, stated) if given is None else given.get(key, "")
    hints = [field.description] if field.description else []
    if field.enum is None and field.type not in ("string", "boolean"):
        hints.append(_TYPES.get(field.type, f"a{'n' if field.type == 'integer' else ''} {field.type}"))
    if field.required and stated is ABSENT:
        hints.append("required")
    return FormControl(
        key,
        name,
        _kind(field),
        text,
        hints,
        required=field.required and stated is ABSENT,
        options=_options(field),
        problems=problems_at(key, problems),
    )


def _kind(field: InputField) -> str:
    if field.enum is not None or field.type == "boolean":
        return "choice"
    return {"string": "text", "number": "number", "integer": "number"}.get(field.type or "", "json")


def _options(field: InputField) -> list[tuple[str, str]]:
    allowed = field.enum if field.enum is not None else (True, False) if field.type == "boolean" else ()
    words = {True: "yes", False: "no"}
    return [
        (_json(each), each if isinstance(each, str) else words[each] if isinstance(each, bool) else _json(each))
        for each in allowed
    ]


def _text(field: InputField, value: Any) -> str:
    if value is ABSENT or value is None:
        return ""
    return value if _kind(field) == "text" and isinstance(value, str) else _json(value)


def _read(
    name: str,
    field: InputField,
    fixed: Mapping[str, Any],
    text: str,
    values: dict[str, Any],
    problems: list[Problem],
) -> None:
    """Read one text. An empty one states nothing, except where a text stood in the form."""
    kind = _kind(field)
    if kind == "text":
        if text or isinstance(fixed.get(name, field.default), str):
            values[name] = text
        return
    if not text.strip():
        return
    try:
        values[name] = parse_json(text.encode())
    except Malformed as malformed:
        values[name] = text
        if field.type in ("array", "object"):
            message = f"this is no JSON: {malformed.message}"
            problems.append(Problem("malformed", message, f"{PREFIX}{name}"))


def _whole(text: str, problems: list[Problem]) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        value = parse_json(text.encode())
    except Malformed as malformed:
        problems.append(Problem("malformed", f"this is no JSON: {malformed.message}", WHOLE))
        return {}
    if not isinstance(value, dict):
        problems.append(Problem("wrong_type", "the input is an object", WHOLE))
        return {}
    return value


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
