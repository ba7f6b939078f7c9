"""Reads the declaration of parameters from the tree of a document: each mistake is located."""

from collections.abc import Mapping as Mapped
from dataclasses import replace

import msgspec

from domain.jsonvalue import JsonValue
from domain.language.expressions import ExpressionProblem, parse_condition
from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, kind_of, plain, text_of, tree_of
from domain.language.reading.problems import Problems
from domain.language.types.output_schema import InvalidOutputSchema, compile_output_schema
from domain.language.types.parts import ABSENT
from domain.refusal import Problem
from domain.templates.answers import value_problems
from domain.templates.fields import checked_keys, flag_in, line_in, prose_in
from domain.templates.kinds import WrongValue, bound_of, value_of
from domain.templates.parameters import NAME, TYPES, Parameter
from domain.words import did_you_mean

MOST_PARAMETERS = 100
MOST_CHOICES = 200
FIELDS = (
    "type",
    "title",
    "description",
    "default",
    "required",
    "enum",
    "minimum",
    "maximum",
    "pattern",
    "items",
    "when",
)
_ITEM_TYPES = tuple(name for name in TYPES if name not in ("array", "object", "enum"))


def read_parameters(node: Node | None, problems: Problems) -> dict[str, Parameter]:
    """Return the parameters declared well; every mistake of the others is noted."""
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return {}
    if not isinstance(node, Mapping):
        problems.add("wrong_type", f"`parameters` is an object, this is {kind_of(node)}", node)
        return {}
    if len(node.entries) > MOST_PARAMETERS:
        problems.add("too_many_parameters", f"a template has at most {MOST_PARAMETERS} parameters", node)
    found: dict[str, Parameter] = {}
    for name, entry in list(node.entries.items())[:MOST_PARAMETERS]:
        if not NAME.fullmatch(name):
            message = (
                "a parameter's name has letters, digits, `_` and `-`, a letter or `_` first, at most 64 characters"
            )
            problems.add("invalid_name", message, node.keys[name])
            continue
        parameter = _parameter(entry, found, problems)
        if parameter is not None:
            found[name] = parameter
    return found


def declare(fields: Mapped[str, Mapped[str, JsonValue]], problems: list[Problem]) -> dict[str, Parameter]:
    """Return the parameters of a JSON object; every mistake is added to `problems`, without lines."""
    noted = Problems()
    found = read_parameters(tree_of({name: dict(each) for name, each in fields.items()}), noted)
    for problem in noted.all():
        if problem.severity == "error":
            path = f"parameters.{problem.path}".rstrip(".")
            problems.append(msgspec.structs.replace(problem, path=path, line=None, column=None))
    return found


def _parameter(node: Node, before: dict[str, Parameter], problems: Problems) -> Parameter | None:
    noted = problems.errors
    if not isinstance(node, Mapping):
        hint = "write `NAME: {type: string}`"
        problems.add("wrong_type", f"a parameter is an object, this is {kind_of(node)}", node, hint=hint)
        return None
    checked_keys(node, FIELDS, problems)
    kind = text_of(node.entries.get("type"))
    if kind not in TYPES:
        at = node.entries.get("type", node)
        hint = did_you_mean(kind, TYPES) if kind else ""
        problems.add("unknown_type", f"a parameter's `type` is one of {', '.join(TYPES)}", at, hint=hint)
        return None
    declared = Parameter(
        type=kind,
        title=line_in(node, "title", problems),
        description=prose_in(node, "description", problems),
        enum=_choices(node, kind, problems),
        minimum=_bound(node, "minimum", kind, problems),
        maximum=_bound(node, "maximum", kind, problems),
        pattern=_pattern(node, kind, problems),
        items=_items(node, kind, problems),
        when=_when(node, before, problems),
    )
    if problems.errors > noted:
        return None
    return _with_default(node, declared, problems)


def _with_default(node: Mapping, declared: Parameter, problems: Problems) -> Parameter | None:
    stated = node.entries.get("default")
    default = ABSENT if stated is None or (isinstance(stated, Scalar) and stated.value is None) else plain(stated)
    if stated is not None and default is not ABSENT:
        for problem in value_problems(declared, default, "default"):
            below = problem.path.removeprefix("default")
            problems.add(problem.code, problem.message, stated, hint=problem.hint, below=below)
    required = flag_in(node, "required", problems)
    if required and default is not ABSENT:
        message = "a required parameter with a default is answered by it; leave one of the two out"
        problems.add("unused_field", message, node.keys["required"], severity="notice")
    return replace(declared, default=default, required=default is ABSENT if required is None else required)


def _choices(node: Mapping, kind: str, problems: Problems) -> tuple[JsonValue, ...] | None:
    stated = node.entries.get("enum")
    if stated is None:
        if kind == "enum":
            problems.add("missing_field", "a parameter of type `enum` lists its values: `enum: [a, b]`", node)
        return None
    if not isinstance(stated, Sequence) or not 1 <= len(stated.items) <= MOST_CHOICES:
        problems.add("wrong_type", f"`enum` is a list of 1 to {MOST_CHOICES} values", stated)
        return None
    choices: list[JsonValue] = []
    for item in stated.items:
        try:
            choices.append(value_of(kind, plain(item)))
        except WrongValue as wrong:
            problems.add(wrong.code, f"a value of `enum`: {wrong}", item)
    return tuple(choices)


def _bound(node: Mapping, field: str, kind: str, problems: Problems) -> JsonValue:
    stated = node.entries.get(field)
    if stated is None:
        return None
    bound: JsonValue = plain(stated)
    try:
        bound_of(kind, bound)
    except ValueError as error:
        problems.add("wrong_type", f"`{field}`: {error}", stated)
        return None
    return bound


def _pattern(node: Mapping, kind: str, problems: Problems) -> str | None:
    stated = node.entries.get("pattern")
    if stated is None:
        return None
    pattern = text_of(stated)
    if pattern is None or len(pattern) > 1_000:
        problems.add("wrong_type", "`pattern` is a regular expression of at most 1,000 characters", stated)
        return None
    try:
        compile_output_schema({"type": "string", "pattern": pattern})
    except InvalidOutputSchema as error:
        problems.add("invalid_pattern", f"this is no pattern that can be used: {error}", stated)
    if kind in ("number", "integer", "boolean", "array", "object", "money"):
        problems.add(
            "unused_field", f"a pattern means nothing for a parameter of type {kind}", stated, severity="warning"
        )
    return pattern


def _items(node: Mapping, kind: str, problems: Problems) -> str | None:
    stated = node.entries.get("items")
    if stated is None:
        return None
    inner = stated.entries.get("type") if isinstance(stated, Mapping) else stated
    name = text_of(inner)
    if kind != "array" or name not in _ITEM_TYPES:
        message = f"`items` is the type of each item of an array: one of {', '.join(_ITEM_TYPES)}"
        problems.add("unknown_type", message, stated)
        return None
    return name


def _when(node: Mapping, before: dict[str, Parameter], problems: Problems) -> str | None:
    stated = node.entries.get("when")
    if stated is None:
        return None
    text = text_of(stated)
    if text is None:
        problems.add("wrong_type", "`when` is a condition, as `parameters.mode == 'strict'`", stated)
        return None
    try:
        condition = parse_condition(text, ("parameters",))
    except ExpressionProblem as problem:
        problems.add(problem.code, problem.message, stated, hint=problem.hint or "")
        return None
    for path in condition.paths:
        named = str(path.parts[1]) if len(path.parts) > 1 else ""
        if named not in before:
            hint = did_you_mean(named, before) or "`when` reads the parameters declared above it"
            problems.add("unknown_parameter", f"no parameter `{named[:60]}` is declared before this", stated, hint=hint)
    return text
