"""Decisions about the inbox of an agent: pure functions from the newest event of its kind to events."""

from domain.event import Cause, Event, record
from domain.inbox.events import InboxFilterSet, NotificationsAcknowledged
from domain.inbox.filters import EVERYTHING_BY_ROLE, InboxFilter, check_filter
from domain.refusal import Forbidden


def set_filter(newest: Event | None, agent: str, filter: InboxFilter, cause: Cause) -> list[Event]:
    """Set the filter; returns no events when it holds already. Raises Malformed for types that no entry has."""
    check_filter(filter)
    held = newest.filter if isinstance(newest, InboxFilterSet) else EVERYTHING_BY_ROLE
    return [] if held == filter else [record(InboxFilterSet, cause, agent=agent, filter=filter)]


def acknowledge(newest: Event | None, agent: str, until: int, end_of_log: int, cause: Cause) -> list[Event]:
    """Acknowledge entries up to `until`; returns no events when they are. Raises Forbidden (cursor_beyond_log)."""
    if until > end_of_log:
        message = "this cursor lies beyond the end of the log: it is of another installation, or of before a restore"
        raise Forbidden(message, code="cursor_beyond_log")
    before = newest.until if isinstance(newest, NotificationsAcknowledged) else 0
    return [record(NotificationsAcknowledged, cause, agent=agent, until=until)] if until > before else []
