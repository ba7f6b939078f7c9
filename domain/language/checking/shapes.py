"""The shapes of values that a definition states: of inputs, and of the output of each step."""

from collections.abc import Mapping as Members
from dataclasses import dataclass, replace

from domain.language.expressions.values import kind_of
from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, text_of

TEXT, NUMBER, BOOLEAN, LIST, OBJECT, NULL = "text", "a number", "a boolean", "a list", "an object", "null"

# JSON Schema's and the language's own names of types, by the kinds that messages name.
_KINDS = {
    "string": TEXT,
    "number": NUMBER,
    "integer": NUMBER,
    "boolean": BOOLEAN,
    "array": LIST,
    "object": OBJECT,
    "null": NULL,
}
# Keywords that let an object have members beside its `properties`, or take its shape from elsewhere.
_OPEN = frozenset(("patternProperties", "$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "propertyNames"))
# Keywords by which an object may have members that `required` does not name.
_NAMING = frozenset(("enum", "const", "not", "minProperties", "dependentRequired", "dependentSchemas", "dependencies"))
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class ValueShape:
    """kinds: possible kinds of the value, None for any. members: members of an object, None if nothing names them.

    items: the shape of each item of a list. closed: whether an object has no further members. values: the only values,
    null aside; None for any. hint: the remedy where a value is null, or is one of `explained` and never can be.
    filled: whether a default takes the place of null where this is the shape of an input. optional: the members that an
    object may lack. most: how many items a list has at most, None for any number.
    """

    kinds: frozenset[str] | None = None
    members: Members[str, "ValueShape"] | None = None
    items: "ValueShape | None" = None
    closed: bool = True
    values: tuple[object, ...] | None = None
    hint: str = ""
    explained: tuple[object, ...] = ()
    filled: bool = False
    optional: frozenset[str] = frozenset()
    most: int | None = None

    def without_null(self) -> "ValueShape":
        """Return the same shape for a value that is not null."""
        return self if self.kinds is None or NULL not in self.kinds else replace(self, kinds=self.kinds - {NULL})


ANY = ValueShape()
ANY_OR_NULL = ValueShape(frozenset((TEXT, NUMBER, BOOLEAN, LIST, OBJECT, NULL)))


def of_kinds(*kinds: str) -> ValueShape:
    """Return the shape of values of these kinds."""
    return ValueShape(frozenset(kinds))


def of_object(**members: ValueShape) -> ValueShape:
    """Return the shape of an object with exactly these members."""
    return ValueShape(frozenset((OBJECT,)), members)


_REFUSALS = ("rejected", "changes_requested", "expired")
_STATUS = ValueShape(frozenset((TEXT,)), values=("completed", "skipped", "failed", "timed_out"))
_STATUS_WITHOUT_FAILURE = ValueShape(
    frozenset((TEXT,)),
    values=("completed", "skipped"),
    hint="a failure fails the execution here, unless the step has `on_error: skip_step`",
    explained=("failed", "timed_out"),
)
_ERROR = of_object(code=of_kinds(TEXT), message=of_kinds(TEXT))
_DELIVERED = of_object(
    delivered=ValueShape(frozenset((LIST,)), None, of_object(channel=of_kinds(TEXT), id=of_kinds(TEXT)))
)


def output_of(step: Mapping, called: ValueShape | None = None) -> ValueShape:
    """Return the shape of the output of a canonical step; called: that of the outputs of the process it calls."""
    match text_of(step.entries.get("type")):
        case "human_approval":
            return _decision(step)
        case "gateway":
            return _choice(step)
        case "timer":
            return of_kinds(NULL)
        case "notification":
            return _DELIVERED
        case "sub_process":
            return _of_call(step, called or ANY)
        case "agent_task" if isinstance(schema := step.entries.get("output_schema"), Mapping):
            return _of_schema(schema, 0)
        case _:
            return ANY


def input_shape(field: Node) -> ValueShape:
    """Return the shape of a declared input field; an optional one without a default may be null."""
    if not isinstance(field, Mapping):
        return ANY
    kind = _KINDS.get(text_of(field.entries.get("type")) or "")
    values = _values(field)
    kinds = frozenset((kind,)) if kind is not None else _kinds_of_values(values)
    if kinds is None:
        return ANY
    required, default = field.entries.get("required"), field.entries.get("default")
    always = isinstance(required, Scalar) and required.value is True
    if default is not None:
        always = not (isinstance(default, Scalar) and default.value is None)
    return ValueShape(kinds if always else kinds | {NULL}, values=values, filled=always and default is not None)


def step_shape(output: ValueShape, step: Node | None = None) -> ValueShape:
    """Return the shape of `steps.ID` for a step with that output. step: the canonical one, where it is known."""
    return of_object(
        output=output,
        status=_STATUS if not isinstance(step, Mapping) or _goes_on(step) else _STATUS_WITHOUT_FAILURE,
        error=replace(_ERROR, kinds=frozenset((OBJECT, NULL))),
        duration=of_kinds(NUMBER, NULL),
        cost=of_kinds(NUMBER, NULL),
        started_at=of_kinds(TEXT, NULL),
        completed_at=of_kinds(TEXT, NULL),
    )


def _goes_on(step: Mapping) -> bool:
    """Return whether the execution may go on after a failure of the step."""
    error, late = step.entries.get("on_error"), step.entries.get("on_timeout")
    written = (error is not None and text_of(error) != "fail_process", late is not None and text_of(late) != "fail")
    return any(written)


def _decision(step: Mapping) -> ValueShape:
    """Return the shape of the output of an approval; without a fallback only a granted one has any effect."""
    fallback, deadline = step.entries.get("on_error"), "deadline" in step.entries
    at_deadline = text_of(step.entries.get("on_deadline")) or "reject"
    goes_on = isinstance(fallback, Mapping) or text_of(fallback) == "skip_step"
    words = ["approved", *(["rejected", "changes_requested"] if goes_on else [])]
    if deadline and (at_deadline == "skip" or (goes_on and at_deadline == "reject")):
        words.append("expired")
    reason = step.entries.get("require_reason")
    explained = isinstance(reason, Scalar) and reason.value is True and not deadline
    hint = "" if goes_on else "a refusal fails the execution here, unless the approval has `on_error: skip_step`"
    return of_object(
        decision=ValueShape(frozenset((TEXT,)), values=tuple(words), hint=hint, explained=_REFUSALS),
        by=of_kinds(TEXT, NULL) if deadline else of_kinds(TEXT),
        comment=of_kinds(TEXT) if explained else of_kinds(TEXT, NULL),
    )


def _choice(step: Mapping) -> ValueShape:
    routes = step.entries.get("routes")
    listed = routes.items if isinstance(routes, Sequence) else []
    named = [route.entries.get("target") for route in listed if isinstance(route, Mapping)]
    named.append(step.entries.get("default_route"))
    targets = tuple(dict.fromkeys(name for node in named if (name := text_of(node)) is not None))
    item = ValueShape(frozenset((TEXT,)), values=targets)
    return of_object(chosen=ValueShape(frozenset((LIST,)), None, item))


def _of_call(step: Mapping, outputs: ValueShape) -> ValueShape:
    """Return the shape of the output of a call; the outputs of the called process are known only at publication."""
    wait = step.entries.get("wait")
    if isinstance(wait, Scalar) and wait.value is False:
        return of_object(execution_id=of_kinds(TEXT))
    for_each = step.entries.get("for_each")
    if isinstance(for_each, Mapping):
        outputs = ValueShape(frozenset((LIST,)), None, _of_item(text_of(for_each.entries.get("on_error")), outputs))
    key = text_of(step.entries.get("output_key"))
    return outputs if key is None else ValueShape(frozenset((OBJECT,)), {key: outputs})


def _of_item(on_error: str | None, outputs: ValueShape) -> ValueShape:
    """Return the shape of an entry of the list that a for_each gives."""
    if on_error == "skip" and outputs.kinds is not None:
        return replace(outputs, kinds=outputs.kinds | {NULL})
    if on_error == "collect" and outputs.members is not None:
        # In place of an item that fails there is its error alone.
        members = {**outputs.members, "error": _ERROR}
        return replace(outputs, members=members, optional=frozenset(members))
    return outputs


def _values(part: Mapping) -> tuple[object, ...] | None:
    """Return the values that `enum` or `const` allows, null aside; None without one, or if one is no scalar."""
    allowed = part.entries.get("enum")
    nodes = (
        allowed.items if isinstance(allowed, Sequence) else [part.entries["const"]] if "const" in part.entries else []
    )
    values = [node.value for node in nodes if isinstance(node, Scalar)]
    return tuple(value for value in values if value is not None) if values and len(values) == len(nodes) else None


def _kinds_of_values(values: tuple[object, ...] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(kind_of(value) for value in values)


def _of_schema(schema: Node, depth: int) -> ValueShape:
    """Return the shape that a JSON Schema states.

    The members are those of `properties` and `required`. With an explicit `additionalProperties` any member may exist.
    """
    if not isinstance(schema, Mapping) or depth > _DEEPEST or schema.entries.keys() & _OPEN:
        return ANY
    named = schema.entries.get("type")
    words = [text_of(each) or "" for each in (named.items if isinstance(named, Sequence) else [named] if named else [])]
    values = _values(schema)
    kinds = frozenset(_KINDS[word] for word in words if word in _KINDS) if words else None
    items = schema.entries.get("items")
    inside = None if items is None else _of_schema(items, depth + 1)
    properties, others = schema.entries.get("properties"), schema.entries.get("additionalProperties")
    closed = isinstance(others, Scalar) and others.value is False
    most = _most_items(schema)
    if not isinstance(properties, Mapping) or (others is not None and not closed):
        return ValueShape(kinds, None, inside, values=values, most=most)
    required = schema.entries.get("required")
    always = {text_of(each) or "" for each in (required.items if isinstance(required, Sequence) else [])}
    members = dict.fromkeys(sorted(always) if not closed else (), ANY)
    members |= {name: _of_schema(each, depth + 1) for name, each in properties.entries.items()}
    optional = frozenset() if schema.entries.keys() & _NAMING else frozenset(members) - always
    return ValueShape(kinds, members, inside, closed, optional=optional, most=most)


def _most_items(schema: Mapping) -> int | None:
    most = schema.entries.get("maxItems")
    value = most.value if isinstance(most, Scalar) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
