"""The compensation of a step: its canonical spelling."""

from domain.language.reading.nodes import Mapping, Scalar, text_of
from domain.language.types.parts import Part
from domain.language.types.steps.compensation import COMPENSATION_TYPES

_IMPLIED_TYPE = "agent_task"


def respell_compensation(compensation: Mapping) -> type[Part] | None:
    """Rewrite a compensation in place. Returns its type, None for an unknown one."""
    entries = compensation.entries
    if "type" not in entries and "agent" in entries:
        at = compensation
        entries["type"] = Scalar(at.line, at.column, at, "type", _IMPLIED_TYPE, _IMPLIED_TYPE)
    return COMPENSATION_TYPES.get(text_of(entries.get("type")) or "")


def compensation_of(step: Mapping) -> Mapping | None:
    """Return the compensation of a canonical step; None when there is none, or none that can be read."""
    compensation = step.entries.get("compensation")
    return compensation if isinstance(compensation, Mapping) else None
