"""Events of the inbox of an agent; each class is stored under its own name for ever."""

from domain.event import Event, stored
from domain.inbox.filters import InboxFilter


@stored("InboxFilterSet")
class InboxFilterSet(Event, frozen=True, kw_only=True):
    """From this event on, the inbox of the agent takes entries that pass `filter`; entries of before stay."""

    agent: str
    filter: InboxFilter


@stored("NotificationsAcknowledged")
class NotificationsAcknowledged(Event, frozen=True, kw_only=True):
    """The agent has dealt with the entries of its inbox up to the position `until` of the log."""

    agent: str
    until: int
