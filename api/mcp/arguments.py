"""The arguments of the tools; their descriptions are what a model reads."""

from typing import Annotated

import msgspec
from msgspec import Meta

LONGEST_WAIT = 50

EventCursor = Annotated[str, Meta(min_length=1, max_length=300, description="The cursor of an earlier answer.")]
MostEvents = Annotated[int, Meta(ge=1, le=200, description="The most events to return.")]
Names = Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(max_length=200)]


class ListEvents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Default of cursor: what is acknowledged."""

    cursor: EventCursor | None = None
    limit: MostEvents = 50
    from_position: (
        Annotated[int, Meta(ge=0, le=2**63 - 1, description="Read earlier events: those after this position.")] | None
    ) = None


class WaitForEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Default of cursor: what is acknowledged."""

    cursor: EventCursor | None = None
    limit: MostEvents = 50
    timeout_s: Annotated[float, Meta(ge=0, le=LONGEST_WAIT, description="Seconds to wait, at most 50.")] = 25.0


class AckEvents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Acknowledged events are not listed again by default."""

    cursor: Annotated[str, Meta(min_length=1, max_length=300, description="Of the last answer that is dealt with.")]


class SetFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An empty field lets all pass; empty types: those that the role of the agent gives."""

    processes: Names = []
    steps: Names = []
    types: Names = []
    outcomes: Names = []
    labels: Names = []


class GetStepOutput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """offset: the next_offset of the answer before."""

    event_id: Annotated[str, Meta(max_length=100, description="The event_id of an event that list_events returned.")]
    offset: Annotated[int, Meta(ge=0, le=2**31)] = 0
