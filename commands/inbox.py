"""The inbox of an agent: its filter, and what it acknowledges. Each newest event states the whole; none is folded."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

import msgspec

from commands.command import AgentName, Beside, Command, CommandScope
from commands.deciding import Identified, persist, unidentified
from commands.receipt import Receipt
from domain.event import Cause, Event
from domain.identity import acknowledgements_id, agent_id, inbox_filter_id
from domain.inbox.decisions import acknowledge, set_filter
from domain.inbox.filters import InboxFilter
from domain.refusal import AgentNotFound
from store.log import Log
from store.unit import Unit

FilterText = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
FilterTexts = Annotated[list[FilterText], msgspec.Meta(max_length=200)]


class SetInboxFilter(Command, frozen=True):
    """Set the filter of an agent's inbox: OR within a field, AND between fields. An empty field lets all pass.

    processes: names. steps: ids. types: of events; empty: those that a role has by default. outcomes: as `completed`.
    labels: of processes.
    """

    scope = CommandScope.INBOX_WRITE
    name: AgentName
    processes: FilterTexts = []
    steps: FilterTexts = []
    types: FilterTexts = []
    outcomes: FilterTexts = []
    labels: FilterTexts = []

    @property
    def filter(self) -> InboxFilter:
        """The filter, each value once."""
        fields = {name: sorted(set(getattr(self, name))) for name in InboxFilter.__struct_fields__}
        return InboxFilter(**fields)


class AcknowledgeNotifications(Command, frozen=True):
    """Acknowledge the entries of an agent's inbox up to a position. until: of a cursor that the inbox gave out."""

    scope = CommandScope.INBOX_WRITE
    name: AgentName
    until: Annotated[int, Beside()]


class Inboxes:
    """The handlers of the commands above."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def set_filter(self, command: SetInboxFilter, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Set the filter for the entries of events after the receipt's position; it may hold `since` another.

        Raises NotFound or Malformed.
        """
        stream = inbox_filter_id(command.name)
        return self._decide(
            command.name, stream, lambda newest: set_filter(newest, command.name, command.filter, cause), identified
        )

    def acknowledge(
        self, command: AcknowledgeNotifications, cause: Cause, identified: Identified = unidentified
    ) -> Receipt:
        """Move the cursor of the inbox; one of before is accepted and changes nothing. Raises NotFound or Forbidden."""
        stream, end = acknowledgements_id(command.name), self._log.last_position()
        return self._decide(
            command.name,
            stream,
            lambda newest: acknowledge(newest, command.name, command.until, end, cause),
            identified,
        )

    def _decide(
        self, agent: str, stream: UUID, decision: Callable[[Event | None], list[Event]], identified: Identified
    ) -> Receipt:
        def attempt() -> Receipt:
            if not self._log.existing([agent_id(agent)]):
                raise AgentNotFound(f"there is no agent {agent!r}", agent=agent)
            newest = self._log.newest(stream)
            new = decision(None if newest is None else newest.event)
            held = {} if new or newest is None else {"since": newest.position}
            receipt = Receipt(stream, 0, {"name": agent, **held}, duplicate=not new)
            answered = identified(receipt)
            if not new and answered is None:
                return msgspec.structs.replace(receipt, position=self._log.last_position())
            unit = Unit(stream, 0 if newest is None else newest.version, new, answered=answered)
            return msgspec.structs.replace(receipt, position=self._log.append(unit))

        return persist(self._log, attempt, stream)
