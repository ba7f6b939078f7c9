"""Dry runs: a command decides on the real state, records nothing, and the caller sees the events that would follow."""

from typing import Any
from uuid import UUID

import anyio
import msgspec
from anyio import CapacityLimiter
from starlette.requests import Request

from commands.command import C, Handle
from commands.deciding import unidentified
from commands.handlers import RehearsingHandlers
from commands.idempotency import Replayed
from domain.catalogue import STORED_NAMES
from domain.event import Event
from edge.dependencies import door_of
from edge.principal import cause_of, principal_of
from edge.sensitive import SensitiveViews
from queries.events import EventView, stated
from queries.paging import Page

# Commands that wait for the same append share a transaction: the limit bounds the size of that transaction.
COMMANDS = CapacityLimiter(64)


class WouldBeEvent(msgspec.Struct, frozen=True):
    """An event that a command would record. step: None if the event is about no step. stream: of the thing changed."""

    type: str
    step: str | None
    data: dict[str, Any]
    stream: UUID


class DryRunAnswer(msgspec.Struct, frozen=True):
    """The answer of a dry run. answer: of the handler. would: the events in order; none for a duplicate."""

    answer: Replayed
    would: list[WouldBeEvent]


async def rehearse(request: Request, handlers: RehearsingHandlers, handle: Handle[C], command: C) -> DryRunAnswer:
    """Decide a command, and return the events that it would record, as its caller may see them. Raises its refusals.

    handlers: those that `handle` belongs to.
    """
    cause, views = cause_of(request), SensitiveViews(principal_of(request), door_of(request).sensitive)

    def decide() -> DryRunAnswer:
        receipt = handle(command, cause, unidentified)
        answer = Replayed(receipt.facts, receipt.position, receipt.duplicate)
        return DryRunAnswer(answer, _shown(handlers, views))

    return await anyio.to_thread.run_sync(decide, limiter=COMMANDS)


def _shown(handlers: RehearsingHandlers, views: SensitiveViews) -> list[WouldBeEvent]:
    noted = [_view(stream, event) for stream, event in handlers.rehearsal.noted]
    seen = views.events(Page(noted, None, 0, 0.0)).items
    return [WouldBeEvent(each.type, each.data.get("step"), each.data, each.stream) for each in seen]


def _view(stream: UUID, event: Event) -> EventView:
    """Return the view of an event that stands nowhere in the log."""
    whence = event.at, event.actor, event.causation, event.correlation
    return EventView(0, stream, 0, STORED_NAMES[type(event)], *whence, stated(event))
