"""From a canonical tree to typed objects; each problem is located and in the language's own words."""

from collections.abc import Mapping as Fields
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.calendar.zones import zone_meant, zone_names, zone_objection
from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, kind_of, plain, text_of
from domain.language.reading.problems import Problems
from domain.language.spelling.bodies import BODY_FIELDS, has_body
from domain.language.spelling.remedies import (
    boolean_hint,
    duration_hint,
    fallback_hint,
    number_hint,
    time_hint,
    type_hint,
)
from domain.language.types.definition import MAX_STEPS, MAX_TRIGGERS, Definition
from domain.language.types.parts import FIELD_NAME, PROCESS_NAME, STEP_ID, Part
from domain.language.types.quantities import CURRENCY_CODE
from domain.language.types.signature import OutputDefinition
from domain.language.types.steps import STEP_TYPES, Step
from domain.language.types.steps.approval import APPROVER
from domain.language.types.steps.fallback import TARGET, WORD
from domain.language.types.triggers import TRIGGER_TYPES, TriggerDefinition
from domain.words import did_you_mean, slip_of

_EXPECTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
}
_EXPECTED_FIELD = {"condition": "an expression, true or false"}
_NAMES = {
    PROCESS_NAME: "lower-case letters, digits, `.`, `_` and `-`, a letter or digit first, at most 64 characters",
    STEP_ID: "lower-case letters, digits, `_` and `-`, a letter first, at most 64 characters",
    APPROVER: "letters, digits, `.`, `_`, `@` and `-`, at most 64 characters, as people act under",
    CURRENCY_CODE: "three capital letters, as USD",
    FIELD_NAME: "letters, digits, `_` and `-`, a letter or `_` first, at most 64 characters",
}
_NAME_CODES = {APPROVER: "invalid_approver", STEP_ID: "invalid_id", CURRENCY_CODE: "invalid_currency"}
# Messages of the language's own types.
_OWN_CODES = {"invalid_duration", "duration_too_long", "invalid_time", "unknown_timezone", "invalid_amount"}
_OWN_CODES |= {"secret_not_a_reference", "secret_reserved"}
_OWN_CODES |= {"invalid_cron", "never_comes", "invalid_day", "invalid_date", "duration_too_short"}
_OTHER_VALUES = {"on_error": "{goto_step: ID}", "on_timeout": "{goto: ID}"}
_FORMS = {
    "retry": "write `{{max_attempts: {written}}}`",
    "max_cost": 'write `{{amount: "{written}", currency: USD}}`',
    "compensation": "it is an object with `agent` and `message`, or with `type: notification`",
    "steps": "a list has an entry for each step, which begins with `- id: …`",
    "roles": "write `{{executor: {written}}}`",
    "on_error": "write `{{goto_step: {written}}}`",
    "for_each": "write `for_each: {{items: …}}`",
    "per_execution": 'write `{{amount: "{written}", currency: USD}}`',
    "daily": 'write `{{amount: "{written}", currency: USD}}`',
    "weekly": 'write `{{amount: "{written}", currency: USD}}`',
    "routes": "a list has an entry for each route: `- {{condition: …, target: …}}`",
}
_MISSING = {"agent": "an agent is required: `agent`, or `roles.executor`"}

# The lists of typed entries: the types by name, their common part, the greatest number of entries.
_BY_TYPE: dict[str, tuple[Fields[str, type[Part]], type[Part], int]] = {
    "steps": (STEP_TYPES, Step, MAX_STEPS),
    "triggers": (TRIGGER_TYPES, TriggerDefinition, MAX_TRIGGERS),
}


def _fields(*types: type[Part]) -> list[str]:
    return list(dict.fromkeys(name for each in types for name in each.model_fields))


# Lists of named entries: the fields of an entry, and the hint for one that is a single key, its name.
_BESIDE = "write `- id: {name}`, with its fields beside the id"
_ENTRIES = {
    "steps": (_fields(Step, *STEP_TYPES.values()), _BESIDE),
    "triggers": (_fields(TriggerDefinition, *TRIGGER_TYPES.values()), _BESIDE),
    "outputs": (_fields(OutputDefinition), "write `{{name: {name}, source: …}}`, or `outputs` as an object"),
}


def validate(root: Mapping, problems: Problems) -> Definition | None:
    """Return the definition; None when a problem was noted, here or in any of its parts."""
    before = problems.errors
    data = {key: plain(value) for key, value in root.entries.items() if key not in _BY_TYPE}
    for key in _BY_TYPE:
        if key in root.entries:
            data[key] = _typed(root, key, problems)
    try:
        definition = Definition.model_validate(data)
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            _report(details, root, details["loc"], problems)
        return None
    return definition if problems.errors == before else None


def _typed(holder: Mapping, key: str, problems: Problems) -> Any:
    """Return the well-formed steps, or triggers, each of its stated type; report all others, those of bodies too."""
    written = holder.entries[key]
    if not isinstance(written, Sequence):
        return plain(written)
    types, common, most = _BY_TYPE[key]
    if len(written.items) > most:
        message = f"a process has at most {most:,} {key}, this one has {len(written.items):,}"
        problems.add(f"too_many_{key}", message, written)
    models: list[Part] = []
    for at, node in enumerate(written.items[:most]):
        kind = text_of(node.entries.get("type")) if isinstance(node, Mapping) else None
        body = node if isinstance(node, Mapping) and has_body(node) else None
        data = plain(node) if body is None else _of_body(body, problems)
        try:
            if kind is not None and kind in types:
                models.append(types[kind].model_validate(data))
            else:
                common.model_validate(data)
        except ValidationError as error:
            for details in error.errors(include_url=False, include_input=False):
                if body is not None and details["loc"][0] in BODY_FIELDS:
                    _report(details, body, details["loc"], problems)
                else:
                    _report(details, holder, (key, at, *details["loc"]), problems)
    return models


def _of_body(step: Mapping, problems: Problems) -> dict[str, Any]:
    """Return the fields of a step that holds steps, those steps as typed objects."""
    return {key: _typed(step, key, problems) if key == "steps" else plain(node) for key, node in step.entries.items()}


def _report(error: ErrorDetails, root: Mapping, loc: tuple[int | str, ...], problems: Problems) -> None:
    loc = _without_types(tuple(part for part in loc if part not in (WORD, TARGET)))
    node, depth = _locate(root, loc)
    rest = loc[depth:]
    field = next((str(part) for part in reversed(loc[:depth]) if isinstance(part, str)), "the definition")
    context: Fields[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "missing":
            name = str(rest[0])
            required = f"`{name}` is required"
            # A step may get its agent from elsewhere; nothing else may.
            message = _MISSING.get(name, required) if len(loc) == 3 else required
            problems.add("missing_field", message, node, hint=_missing_hint(loc, node), below=f".{name}")
        case "union_tag_not_found":
            hint = "name an `agent`, or say `type: notification`"
            problems.add("missing_field", "`type` is required", node, hint=hint, below=".type")
        case "union_tag_invalid":
            named = node.entries["type"] if isinstance(node, Mapping) else node
            _unknown_value(named, "type", str(context["expected_tags"]), problems)
        case "string_pattern_mismatch" if field == "process" and "{{" in (text_of(node) or ""):
            message = "`process` is the name of a process, and no expression"
            problems.add("invalid_name", message, node, hint="choose among several with a gateway")
        case "string_pattern_mismatch" if len(loc) == 1 and field == "name" and "{{" in (text_of(node) or ""):
            message = "`name` is a placeholder, and no name"
            hint = (
                "give the name beside the text: `?name=NAME`, `--name NAME`, or the field Name of the editor; "
                "or put the definition under `process:` in a template"
            )
            problems.add("invalid_name", message, node, hint=hint)
        case "string_pattern_mismatch":
            at = node.parent.keys[field] if rest == ("[key]",) and isinstance(node.parent, Mapping) else node
            message = f"`{field[:60]}` is not a name that may stand here" if rest else f"`{field}` is not well formed"
            code = _NAME_CODES.get(context["pattern"], "invalid_name")
            problems.add(code, message, at, hint=_NAMES.get(context["pattern"], ""))
        case "string_too_long":
            problems.add("too_long", f"`{field}` is at most {context['max_length']} characters long", node)
        case "string_too_short":
            problems.add("empty", f"`{field}` may not be empty", node)
        case "too_long":
            problems.add("too_many", f"`{field}` has at most {context['max_length']} entries", node)
        case "too_short":
            if isinstance(node, Sequence) and node.items:
                return  # all entries are malformed and reported one by one
            problems.add("empty", f"`{field}` needs at least one entry", node)
        case "literal_error":
            _unknown_value(node, field, str(context["expected"]), problems)
        case "greater_than":
            problems.add("out_of_range", f"`{field}` is more than {context['gt']:g}", node)
        case "greater_than_equal" | "less_than_equal":
            bound = f"at least {context['ge']:g}" if "ge" in context else f"at most {context['le']:g}"
            problems.add("out_of_range", f"`{field}` is {bound}", node)
        case kind if kind in _OWN_CODES:
            hint = _own_hint(kind, node, problems)
            problems.add(kind, f"`{field}`: {error['msg'][:200]}", node, hint=hint)
        case "missing_value":
            problems.add("missing_field", error["msg"], node)
        case kind if kind in _EXPECTED:
            if rest[1:] or (rest and rest[0] == "bool"):
                return  # the other half of a field with two types; the first half has been reported
            _wrong_type(node, field, loc[:depth], _EXPECTED[kind], problems)
        case _:
            problems.add("invalid_value", f"`{field}`: {error['msg'][:200]}", node)


def _missing_hint(loc: tuple[int | str, ...], node: Node) -> str:
    """Return the hint for a missing field; most often the entry of a list is written as one key: `- review: {…}`."""
    alone = _named_alone(loc, node)
    if alone is not None:
        return _ENTRIES[str(loc[-3])][1].format(name=alone[:40])
    if len(loc) == 3 and loc[0] == "steps" and loc[2] == "type":
        return f"name an `agent`, or a type: {', '.join(STEP_TYPES)}"
    return ""


def _named_alone(loc: tuple[int | str, ...], node: Node) -> str | None:
    """Return the only key of an entry of a list; None if it is a field of such entries, or a slip of one."""
    if len(loc) < 3 or loc[-3] not in _ENTRIES or not isinstance(node, Mapping) or len(node.keys) != 1:
        return None
    key, fields = next(iter(node.keys)), _ENTRIES[str(loc[-3])][0]
    return None if key in fields or slip_of(key, fields) else key


def _wrong_type(node: Node, field: str, loc: tuple[int | str, ...], expected: str, problems: Problems) -> None:
    expected = _EXPECTED_FIELD.get("condition" if field == "until" and "repeat" in loc else field, expected)
    subject = f"an entry of `{field}`" if loc and isinstance(loc[-1], int) else f"`{field}`"
    hint = "put it in quotes" if expected == "text" and kind_of(node) in ("a number", "true or false") else ""
    if "number" in expected and (written := text_of(node)) is not None:
        hint = number_hint(written)
    if expected == "true or false" and isinstance(node, Scalar):
        hint = boolean_hint(node.text)
    hint = hint or _form(node, field, loc)
    problems.add("wrong_type", f"{subject} must be {expected}, and is {kind_of(node)}", node, hint=hint)


def _form(node: Node, field: str, loc: tuple[int | str, ...]) -> str:
    """Return the form in which the value of a field is written."""
    written = node.text if isinstance(node, Scalar) else "…"
    if len(loc) == 2 and loc[0] == "input" and isinstance(node, Scalar):
        return f"write `{{type: {written[:20]}}}`"
    if field == "version" and loc[0] == "steps" and written == "latest":
        return "leave it out: the latest version is the default"
    return _FORMS.get(field, "").format(written=written[:20])


def _unknown_value(node: Node, field: str, expected: str, problems: Problems) -> None:
    written = str(plain(node))[:60]
    known = [word for word in expected.replace("' or '", "', '").strip("'").split("', '") if word]
    code = "unknown_trigger_type" if field == "type" and node.path.startswith("triggers") else "unknown_value"
    others = [_OTHER_VALUES[field]] if field in _OTHER_VALUES else []
    meant = type_hint(written, node.path) if field == "type" else fallback_hint(written, field)
    hint = meant or did_you_mean(written, known) or f"one of: {', '.join([*known, *others])}"
    problems.add(code, f"`{field}` cannot be `{written}`", node, hint=hint)


def _own_hint(code: str, node: Node, problems: Problems) -> str:
    """Return the remedy for a value that one of the language's own types refused."""
    written = node.text if isinstance(node, Scalar) else ""
    if code == "unknown_timezone":
        return _zone_hint(node, problems)
    if code == "invalid_duration":
        return duration_hint(written)
    return time_hint(written) if code == "invalid_time" else ""


def _zone_hint(node: Node, problems: Problems) -> str:
    written = text_of(node) or ""
    if zone_objection(written) is not None:
        return f"write a zone such as {zone_meant(written) or 'Europe/Berlin or UTC'}"
    near = sorted(name for name in zone_names() if name[:1] == written[:1].upper())
    return "" if problems.full() else did_you_mean(written, near)


def _without_types(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Drop types from a location: pydantic adds the type of a compensation, which is no key of the text."""
    return (*loc[:3], *loc[4:]) if loc[2:3] == ("compensation",) and loc[3:4] else loc


def _locate(root: Mapping, loc: tuple[int | str, ...]) -> tuple[Node, int]:
    """Return the node of a location in the typed objects, and how much of the location it stands for."""
    node: Node = root
    for depth, part in enumerate(loc):
        if isinstance(node, Mapping) and isinstance(part, str) and part in node.entries:
            node = node.entries[part]
        elif isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
        else:
            return node, depth
    return node, len(loc)
