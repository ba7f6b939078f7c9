"""Sensitive fields of a definition: declared inputs, and the paths that `x-sensitive` marks in an output_schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.language.expressions import ROOTS, parse_value
from domain.language.types.definition import Definition
from domain.language.types.steps import AnyStep, SubProcess, compensation_id

KEYWORD = "x-sensitive"
EVERY = "*"
"""Stands in a path for each item of an array, and each member that `properties` does not name."""

SensitivePath = tuple[str, ...]
_DATA = frozenset(("enum", "const", "default", "examples"))
_WITHIN = ("items", "additionalProperties")


@dataclass(frozen=True, slots=True)
class SensitiveFields:
    """The sensitive paths below an execution's input, and below the output of each step, by its id.

    bodies: those of the executions of each body that has any, by the path of the body.
    """

    input: tuple[SensitivePath, ...] = ()
    outputs: Mapping[str, tuple[SensitivePath, ...]] = field(default_factory=dict)
    bodies: Mapping[str, "SensitiveFields"] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether a field is sensitive, here or in a body."""
        return bool(self.input or self.outputs or self.bodies)

    @property
    def any_output(self) -> bool:
        """Whether the output of a step is sensitive, here or in a body."""
        return bool(self.outputs) or any(each.any_output for each in self.bodies.values())

    def within(self, body: str) -> "SensitiveFields":
        """Return the fields of the executions of a body by its path; these ones for the process itself."""
        return self.bodies.get(body, NO_FIELDS) if body else self


NO_FIELDS = SensitiveFields()


def sensitive_fields(definition: Definition) -> SensitiveFields:
    """Return the sensitive fields of a definition."""
    declared = tuple((name,) for name, each in (definition.input or {}).items() if each.sensitive)
    bodies = dict(_of_bodies(definition.steps, frozenset(name for (name,) in declared), ""))
    return SensitiveFields(declared, _outputs(definition.steps), bodies)


def _of_bodies(
    steps: tuple[AnyStep, ...], sensitive: frozenset[str], around: str
) -> Iterator[tuple[str, SensitiveFields]]:
    """Yield the path and the fields of each body that has any. sensitive: the input around it that is."""
    for step in steps:
        if isinstance(step, SubProcess) and step.steps is not None:
            path = f"{around}/{step.id}" if around else step.id
            names = {name for name, each in step.body_input.items() if each.sensitive}
            if step.input is None:
                names |= {name for name, given in step.mapping.items() if _reads(given, sensitive, step)}
            found = SensitiveFields(tuple((name,) for name in sorted(names)), _outputs(step.steps))
            if found.any:
                yield path, found
            yield from _of_bodies(step.steps, frozenset(names), path)


def _reads(value: Any, sensitive: frozenset[str], step: SubProcess) -> bool:
    """Return whether a value with templates inside reads a sensitive field of the input, or an item of one."""
    roots = ROOTS if step.for_each is None else step.for_each.roots
    paths = parse_value(value, roots).paths
    if step.for_each is not None and any(path.parts[0] == step.for_each.as_ for path in paths):
        paths = (*paths, *parse_value(step.for_each.items).paths)
    read = [path.parts[1:2] for path in paths if path.parts[0] == "input"]
    return bool(sensitive) and any(not part or part[0] in sensitive for part in read)


def _outputs(steps: tuple[AnyStep, ...]) -> dict[str, tuple[SensitivePath, ...]]:
    outputs: dict[str, tuple[SensitivePath, ...]] = {}
    for step in steps:
        for id, work in ((step.id, step), (compensation_id(step.id), step.compensation)):
            schema = getattr(work, "output_schema", None)
            if schema is not None and (paths := sensitive_paths(schema)):
                outputs[id] = paths
    return outputs


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
