"""The shapes of values that a definition states: of inputs, and of the output of each step."""

from collections.abc import Mapping as Members
from dataclasses import dataclass

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
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class ValueShape:
    """kinds: possible kinds of the value, None for any. members: members of an object, None if nothing names them.

    items: the shape of each item of a list. closed: whether an object has no further members.
    """

    kinds: frozenset[str] | None = None
    members: Members[str, "ValueShape"] | None = None
    items: "ValueShape | None" = None
    closed: bool = True


ANY = ValueShape()


def of_kinds(*kinds: str) -> ValueShape:
    """Return the shape of values of these kinds."""
    return ValueShape(frozenset(kinds))


def of_object(**members: ValueShape) -> ValueShape:
    """Return the shape of an object with exactly these members."""
    return ValueShape(frozenset((OBJECT,)), members)


_DECISION = of_object(decision=of_kinds(TEXT), by=of_kinds(TEXT, NULL), comment=of_kinds(TEXT, NULL))
_DELIVERED = of_object(
    delivered=ValueShape(frozenset((LIST,)), None, of_object(channel=of_kinds(TEXT), id=of_kinds(TEXT)))
)
_CHOSEN = of_object(chosen=ValueShape(frozenset((LIST,)), None, of_kinds(TEXT)))


def output_of(step: Mapping) -> ValueShape:
    """Return the shape of the output of a canonical step."""
    match text_of(step.entries.get("type")):
        case "human_approval":
            return _DECISION
        case "gateway":
            return _CHOSEN
        case "timer":
            return of_kinds(NULL)
        case "notification":
            return _DELIVERED
        case "sub_process":
            return _of_call(step)
        case "agent_task" if isinstance(schema := step.entries.get("output_schema"), Mapping):
            return _of_schema(schema, 0)
        case _:
            return ANY


def input_shape(field: Node) -> ValueShape:
    """Return the shape of a declared input field; an optional one may be null."""
    if not isinstance(field, Mapping):
        return ANY
    kind = _KINDS.get(text_of(field.entries.get("type")) or "")
    if kind is None:
        return ANY
    required = field.entries.get("required")
    always = isinstance(required, Scalar) and required.value is True
    return of_kinds(kind) if always else of_kinds(kind, NULL)


def step_shape(output: ValueShape) -> ValueShape:
    """Return the shape of `steps.ID` for a step with that output."""
    error = ValueShape(frozenset((OBJECT, NULL)), {"code": of_kinds(TEXT), "message": of_kinds(TEXT)})
    return of_object(
        output=output,
        status=of_kinds(TEXT),
        error=error,
        duration=of_kinds(NUMBER, NULL),
        cost=of_kinds(NUMBER, NULL),
        started_at=of_kinds(TEXT, NULL),
        completed_at=of_kinds(TEXT, NULL),
    )


def _of_call(step: Mapping) -> ValueShape:
    """Return the shape of the output of a call; the outputs of the called process are known only at publication."""
    wait = step.entries.get("wait")
    if isinstance(wait, Scalar) and wait.value is False:
        return of_object(execution_id=of_kinds(TEXT))
    key = text_of(step.entries.get("output_key"))
    return ANY if key is None else ValueShape(frozenset((OBJECT,)), {key: ANY})


def _of_schema(schema: Node, depth: int) -> ValueShape:
    """Return the shape that a JSON Schema states.

    The members are those of `properties` and `required`. With an explicit `additionalProperties` any member may exist.
    """
    if not isinstance(schema, Mapping) or depth > _DEEPEST or schema.entries.keys() & _OPEN:
        return ANY
    named = schema.entries.get("type")
    words = [text_of(each) or "" for each in (named.items if isinstance(named, Sequence) else [named] if named else [])]
    kinds = frozenset(_KINDS[word] for word in words if word in _KINDS) if words else None
    items = schema.entries.get("items")
    inside = None if items is None else _of_schema(items, depth + 1)
    properties, others = schema.entries.get("properties"), schema.entries.get("additionalProperties")
    closed = isinstance(others, Scalar) and others.value is False
    if not isinstance(properties, Mapping) or (others is not None and not closed):
        return ValueShape(kinds, None, inside)
    required = schema.entries.get("required")
    members = {
        text_of(each) or "": ANY for each in (required.items if isinstance(required, Sequence) and not closed else [])
    }
    members |= {name: _of_schema(each, depth + 1) for name, each in properties.entries.items()}
    return ValueShape(kinds, members, inside, closed)
