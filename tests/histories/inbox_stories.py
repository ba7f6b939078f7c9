"""What happened in the golden histories of an inbox. Never change a told story."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.event import Cause, Event
from domain.identity import acknowledgements_id, inbox_filter_id
from domain.inbox.decisions import acknowledge, set_filter
from domain.inbox.filters import InboxFilter

Told = tuple[UUID, list[Event]]

NAME = "golden-archive"
BEGIN = datetime(2026, 12, 3, 8, tzinfo=UTC)


def _cause(hours: int) -> Cause:
    return Cause(BEGIN + timedelta(hours=hours), f"agent:{NAME}", "request", "tie")


def filtered(_: Any) -> Told:
    """The agent narrows its inbox by each field, and takes the filter back."""
    every = InboxFilter(["claim"], ["read", "decide"], ["StepCompleted", "StepFailed"], ["completed"], ["money"])
    events: list[Event] = []
    for hours, filter in enumerate((every, InboxFilter(steps=["read"]), InboxFilter())):
        events += set_filter(events[-1] if events else None, NAME, filter, _cause(hours))
    return inbox_filter_id(NAME), events


def acknowledged(_: Any) -> Told:
    """The agent acknowledges twice; the second time an earlier cursor comes in between."""
    events: list[Event] = []
    for hours, until in enumerate((7, 5, 9)):
        events += acknowledge(events[-1] if events else None, NAME, until, 9, _cause(hours))
    return acknowledgements_id(NAME), events


STORIES: dict[str, Callable[[Any], Told]] = {
    "inbox-filter": filtered,
    "inbox-acknowledgements": acknowledged,
}
