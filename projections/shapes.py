"""The shape in which readers decode each event: derived from its class, with JSON documents left as text."""

import types
from typing import Any, Union, get_args, get_origin

import msgspec

from domain.agents.calls import StepError, Usage
from domain.alerts.events import CostAlertAcknowledged, CostAlertDismissed, CostAlertSnoozed
from domain.batches.events import BatchFrozen, BatchStarted, BatchStopped
from domain.catalogue import EVENTS
from domain.event import Event
from domain.executions.events.execution import ExecutionStarted
from domain.processes.events import ProcessDrafted, ProcessPaused, ProcessPublished
from domain.templates.events import TemplatePublished, TemplateRevised

# A read table takes a document byte for byte. So a reader does not decode it.
DOCUMENTS: frozenset[Any] = frozenset((Any, StepError))
# Fields that no read table shows, and the events of which one shows the actor: decoding is most of a rebuild's time.
LEFT_OUT: dict[type[msgspec.Struct], frozenset[str]] = {
    Event: frozenset(("actor", "causation", "correlation")),
    Usage: frozenset(("cached_tokens", "raw")),
}
WITH_ACTOR: frozenset[type[Event]] = frozenset(
    (
        ExecutionStarted,
        ProcessDrafted,
        ProcessPublished,
        ProcessPaused,
        CostAlertAcknowledged,
        CostAlertDismissed,
        CostAlertSnoozed,
        TemplatePublished,
        TemplateRevised,
        BatchFrozen,
        BatchStarted,
        BatchStopped,
    )
)
EMPTY = msgspec.Raw(b"{}")


def derive(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return a class with the fields of `kind` and its defaults, in which each document is a msgspec.Raw."""
    left_out = {name for of, names in LEFT_OUT.items() if issubclass(kind, of) for name in names}
    left_out -= {"actor"} if kind in WITH_ACTOR else set()
    fields = [field for field in msgspec.structs.fields(kind) if field.name not in left_out]
    shape: list[Any] = []
    for field in fields:
        read_as = _read_as(field.type)
        if field.required:
            shape.append((field.name, read_as))
        else:
            value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
            stored = msgspec.json.encode(value)
            shape.append((field.name, read_as, msgspec.json.decode(stored, type=read_as)))
    return msgspec.defstruct(kind.__name__, shape, module=__name__, kw_only=True, frozen=True, gc=False)


def _read_as(kind: Any) -> Any:
    """Return the type that a reader decodes a field of type `kind` to."""
    origin, inside = get_origin(kind), get_args(kind)
    if kind in DOCUMENTS or dict in (kind, origin):
        return msgspec.Raw
    if origin is list:
        return msgspec.Raw if any(_is_structure(each) or _read_as(each) is msgspec.Raw for each in inside) else kind
    if origin in (Union, types.UnionType):
        parts = tuple(_read_as(each) for each in inside)
        # An optional document that is absent or null is the text "null".
        return kind if parts == inside else msgspec.Raw if msgspec.Raw in parts else Union[parts]  # noqa: UP007
    if _is_structure(kind):
        changed = any(_read_as(field.type) != field.type for field in msgspec.structs.fields(kind))
        return derive(kind) if changed or kind in LEFT_OUT else kind
    return kind


def _is_structure(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


SHAPES: dict[str, type[msgspec.Struct]] = {name: derive(kind) for name, kind in EVENTS.items()}
