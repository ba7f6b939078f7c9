"""Sensitive fields of a definition: declared inputs, and the paths that `x-sensitive` marks in an output_schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.language.types.definition import Definition
from domain.language.types.steps import compensation_id

KEYWORD = "x-sensitive"
EVERY = "*"
"""Stands in a path for each item of an array, and each member that `properties` does not name."""

SensitivePath = tuple[str, ...]
_DATA = frozenset(("enum", "const", "default", "examples"))
_WITHIN = ("items", "additionalProperties")


@dataclass(frozen=True, slots=True)
class SensitiveFields:
    """The sensitive paths below an execution's input, and below the output of each step, by its id."""

    input: tuple[SensitivePath, ...] = ()
    outputs: Mapping[str, tuple[SensitivePath, ...]] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether a field is sensitive."""
        return bool(self.input or self.outputs)


def sensitive_fields(definition: Definition) -> SensitiveFields:
    """Return the sensitive fields of a definition."""
    outputs: dict[str, tuple[SensitivePath, ...]] = {}
    for step in definition.steps:
        for id, work in ((step.id, step), (compensation_id(step.id), step.compensation)):
            schema = getattr(work, "output_schema", None)
            if schema is not None and (paths := sensitive_paths(schema)):
                outputs[id] = paths
    return SensitiveFields(tuple((name,) for name, each in (definition.input or {}).items() if each.sensitive), outputs)


def sensitive_paths(schema: Mapping[str, Any]) -> tuple[SensitivePath, ...]:
    """Return the paths that a schema marks; the whole value if a stored schema has the keyword at an unread place."""
    if next(misplaced(schema), None) is not None:
        return ((),)
    return tuple(_marked(schema, ()))


def misplaced(schema: Any, at: SensitivePath = ()) -> Iterator[tuple[SensitivePath, bool]]:
    """Yield the place of each `x-sensitive` that is not read, and whether only its value is wrong."""
    if not isinstance(schema, Mapping):
        return
    if KEYWORD in schema and not isinstance(schema[KEYWORD], bool):
        yield (*at, KEYWORD), True
    for keyword, part in schema.items():
        if keyword == "properties" and isinstance(part, Mapping):
            for name, each in part.items():
                yield from misplaced(each, (*at, keyword, name))
        elif keyword in _WITHIN:
            yield from misplaced(part, (*at, keyword))
        elif keyword not in _DATA and keyword != KEYWORD:
            yield from ((place, False) for place in _mentions(part, (*at, keyword)))


def _marked(schema: Any, at: SensitivePath) -> Iterator[SensitivePath]:
    if not isinstance(schema, Mapping):
        return
    if schema.get(KEYWORD) is True:
        yield at
        return
    properties = schema.get("properties")
    for name, each in (properties if isinstance(properties, Mapping) else {}).items():
        yield from _marked(each, (*at, name))
    for keyword in _WITHIN:
        yield from _marked(schema.get(keyword), (*at, EVERY))


def _mentions(part: Any, at: SensitivePath) -> Iterator[SensitivePath]:
    if isinstance(part, Mapping):
        for name, each in part.items():
            if name == KEYWORD:
                yield (*at, name)
            elif name not in _DATA:
                yield from _mentions(each, (*at, name))
    elif isinstance(part, list):
        for index, each in enumerate(part):
            yield from _mentions(each, (*at, str(index)))
