"""Sub-processes: consistency of a step that calls one, and the processes that a definition calls."""

from collections.abc import Iterator

from domain.language.parsed import InputUse, ProcessUse, Spot
from domain.language.reading.nodes import Location, Mapping, Node, Scalar, Sequence, plain, scalars, text_of
from domain.language.reading.problems import Problems
from domain.language.types.parts import ABSENT

_TYPE = "sub_process"


# A step without `wait` ignores these fields.
_WHILE_WAITING = ("output_key", "timeout", "total_timeout", "on_timeout", "retry")


def check_sub_process(step: Mapping, problems: Problems) -> None:
    """Note the useless fields of a step without `wait`: it completes at once, so it cannot fail or retry."""
    wait = step.entries.get("wait")
    if text_of(step.entries.get("type")) == _TYPE and isinstance(wait, Scalar) and wait.value is False:
        for field in _WHILE_WAITING:
            if field in step.entries:
                message = f"`{field}` means nothing with `wait: false`, it is ignored"
                problems.add("unused_field", message, step.keys.get(field, step), severity="warning")


def processes_in(root: Mapping) -> Iterator[ProcessUse]:
    """Return every readable call of a process in a canonical tree."""
    steps = root.entries.get("steps")
    for step in steps.items if isinstance(steps, Sequence) else ():
        if isinstance(step, Mapping) and text_of(step.entries.get("type")) == _TYPE:
            node, version, mapping = (step.entries.get(key) for key in ("process", "version", "input_mapping"))
            name = text_of(node)
            if node is not None and name:
                yield ProcessUse(
                    name,
                    _version_of(version),
                    tuple(_inputs_in(mapping)),
                    at=_spot(node),
                    version_at=_spot(version or node),
                    inputs_at=_spot(mapping or node),
                )


def _version_of(node: Node | None) -> int | None:
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _inputs_in(mapping: Node | None) -> Iterator[InputUse]:
    for name, node in mapping.entries.items() if isinstance(mapping, Mapping) else ():
        depends = any(isinstance(each.value, str) and "{{" in each.value for each in scalars(node))
        yield InputUse(name, ABSENT if depends else plain(node), _spot(node))


def _spot(place: Location) -> Spot:
    return Spot(place.path, place.line, place.column)
