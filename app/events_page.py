"""The page docs/events.md, generated from the catalogue of events: ``python -m app.events_page > docs/events.md``."""

import inspect
import json
import re
import sys

from app.event_shapes import Field, Shape, event_shapes, part_shapes, parts
from domain.catalogue import EVENTS
from domain.event import Event

_INTRODUCTION = """# Events

The log is the only source of facts, and it holds events of these types only. This page is generated from
`domain/catalogue.py`; change the classes and run `python -m app.events_page > docs/events.md`.

An event is stored as JSON under its name, which is never renamed, reused or removed. A field with a default is left
out of the stored JSON while it has that default. Fields may be added with a default; none is removed, renamed or
retyped (see [ADR 0013](adr/0013-let-events-only-grow.md)).

How values are stored: *time* is ISO 8601 in UTC, *duration* is ISO 8601 (`PT1M`), *decimal* is text with every digit
kept, *uuid* is text, *any JSON* is whatever was given.
"""

# The subject of a stream, and its identity, by the module of its events.
_STREAMS = {
    "domain.processes.events": ("A process", "One stream a process, its id derived from the name."),
    "domain.executions.events.execution": ("An execution", "One stream an execution, its id a UUID version 7."),
    "domain.executions.events.step": ("A step", "In the stream of its execution."),
    "domain.executions.events.timer": ("A timer", "In the stream of its execution."),
    "domain.executions.events.cost": ("A cost", "In the stream of its execution."),
    "domain.executions.events.child": ("A child", "In the stream of the execution that calls it."),
    "domain.executions.events.repetition": ("A repetition", "In the stream of the execution whose step repeats."),
    "domain.executions.events.compensation": ("A compensation", "In the stream of its execution."),
    "domain.executions.events.approval": ("An approval", "In the stream of its execution."),
    "domain.batches.events": ("A batch", "One stream a batch of acts on executions, its id a UUID version 7."),
    "domain.processes.claims": ("A webhook trigger", "One stream a trigger, its id derived from the trigger's."),
    "domain.agents.events": ("An agent", "One stream an agent, its id derived from the name."),
    "domain.schedules.events": (
        "A schedule",
        "One stream a schedule, its id derived from the process and the trigger.",
    ),
    "domain.alerts.events": (
        "Cost thresholds and alerts",
        "The thresholds of a process in one stream, its id derived from the process; one stream an alert.",
    ),
    "domain.roles.events": ("Roles", "The roles in a process in one stream, its id derived from the process."),
    "domain.inbox.events": (
        "The inbox of an agent",
        "The filters of an agent in one stream, and what it acknowledges in another, ids derived from its name.",
    ),
    "domain.calendars.events": ("A calendar", "One stream a calendar, its id derived from the name."),
    "domain.templates.events": (
        "A template of the organisation",
        "One stream a template, its id derived from the name.",
    ),
    "domain.zone_data.events": ("The zone data", "One stream, its id the same everywhere."),
    "domain.archive.events": ("The archive", "One stream, its id the same everywhere."),
    "domain.costs.events": ("A price", "One stream for all prices of the operator."),
    "domain.keys.events": ("A key", "One stream for all keys. It holds their digests, never the keys."),
}
_COMMON = {
    "at": "when it was decided",
    "actor": "who acted, as `kind:name` (`user:ann`, `worker:…`)",
    "causation": "the command that caused it: a request id, an idempotency key, a step's attempt",
    "correlation": "what ties related streams together; empty means the stream's own id",
}
# "name: meaning" in a docstring, at the beginning of a line or after a sentence.
_NOTE = re.compile(r"(?:(?<=\. )|^)((?:[a-z_]+, )*[a-z_]+(?: and [a-z_]+)?): ", re.MULTILINE)


def events_page() -> str:
    """Return the whole page, as Markdown."""
    shapes, everywhere = event_shapes(), set(Event.__struct_fields__)
    first = next(iter(shapes.values()))
    common = Shape({name: field for name, field in first.fields.items() if name in everywhere})
    sections = [_INTRODUCTION, f"## Every event\n\n{_table(common, _COMMON)}"]
    for module, names in _by_module().items():
        title, stream = _STREAMS[module]
        file = module.replace(".", "/") + ".py"
        sections.append(f"## {title}\n\n{stream} Classes: [`{file}`](../{file}).\n")
        sections += [_described(name, EVENTS[name], shapes[name], everywhere) for name in names]
    sections.append("## Parts\n\nStructures that the fields above are made of.\n")
    for part, shape in zip(parts(), part_shapes().values(), strict=True):
        sections.append(_described(part.__name__, part, shape, set()))
    return "\n".join(sections)


def _by_module() -> dict[str, list[str]]:
    """Return the stored names of each module's events: modules as in `_STREAMS`, names as their classes are defined."""
    found: dict[str, list[str]] = {module: [] for module in _STREAMS}
    for name, kind in EVENTS.items():
        found[kind.__module__].append(name)
    for module, names in found.items():
        order = list(vars(sys.modules[module]))
        names.sort(key=order.index)
    return found


def _described(name: str, kind: type, shape: Shape, left_out: set[str]) -> str:
    """Return a heading, the description of the whole, and a table of the fields with their meanings."""
    text, meanings = _documented(kind)
    for above in kind.__mro__[1:]:
        meanings = _documented(above)[1] | meanings
    table = _table(Shape({n: field for n, field in shape.fields.items() if n not in left_out}), meanings)
    return "\n\n".join(part for part in (f"### {name}", text, table) if part)


def _documented(kind: type) -> tuple[str, dict[str, str]]:
    """Return the description of a class, and the meaning of each field, from its docstring."""
    text, *notes = _NOTE.split(inspect.cleandoc(kind.__doc__ or "").replace("``", "`"))
    meanings = {
        field: " ".join(meaning.split())
        for names, meaning in zip(notes[::2], notes[1::2], strict=True)
        for field in re.split(", | and ", names)
    }
    return text.strip(), meanings


def _table(shape: Shape, meanings: dict[str, str]) -> str:
    rows = [
        f"| `{name}` | {field.type} | {_default(field)} | {meanings.get(name, '')} |"
        for name, field in shape.fields.items()
    ]
    return "\n".join(["| field | stored as | default | |", "|---|---|---|---|", *rows]) + "\n"


def _default(field: Field) -> str:
    return "always there" if field.required else f"`{json.dumps(field.default, ensure_ascii=False)}`"


if __name__ == "__main__":
    sys.stdout.write(events_page())
