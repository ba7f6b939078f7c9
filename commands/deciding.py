"""Read the stream, decide, append at the version read; on a conflict read and decide again."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

import msgspec

from commands.receipt import Receipt
from domain.event import Event
from store.log import Log
from store.unit import AnsweredStep, Conflict, OutcomeUnknown, StoreError, StreamChange, Unit

ATTEMPTS = 20

State = TypeVar("State")
Identified = Callable[[Receipt], AnsweredStep | None]
Guards = tuple[tuple[UUID, int], ...]


class Together(msgspec.Struct, frozen=True):
    """What belongs to a decision beside its events: versions that it rests on, and changes of other streams."""

    guards: Guards = ()
    before: tuple[StreamChange, ...] = ()

    def __add__(self, other: "Together") -> "Together":
        """Return both."""
        return Together((*self.guards, *other.guards), (*self.before, *other.before))


class Unavailable(Exception):
    """The event store could not be reached, or is too contended; nothing is known to be wrong with the command."""


def unidentified(_receipt: Receipt) -> None:
    """For commands without an Idempotency-Key."""


def decide(
    log: Log,
    stream: UUID,
    fold: Callable[[Sequence[Event]], State],
    decision: Callable[[State], list[Event]],
    *,
    facts: Callable[[State, list[Event]], dict[str, object]] | None = None,
    identified: Identified = unidentified,
    together: Callable[[list[Event]], Together] = lambda _new: Together(),
) -> Receipt:
    """Carry out `decision` on one stream and answer with its position.

    fold: the state of the stream's events (none: it does not exist). decision: pure, gives events or raises a Refusal.
    facts: what the caller is told, from the state before and the new events. identified: pairs the answer with its key.
    together: what is recorded with the new events or not at all, and what they rest on.
    Raises Unavailable when the store stays out of reach.
    """

    def attempt() -> Receipt:
        events = log.stream(stream)
        state = fold(events)
        new = decision(state)
        receipt = Receipt(stream, 0, facts(state, new) if facts else {}, duplicate=not new)
        answered = identified(receipt)
        if not new and answered is None:
            return msgspec.structs.replace(receipt, position=log.last_position())
        more = together(new)
        unit = Unit(stream, len(events), new, guards=more.guards, answered=answered, before=more.before)
        return msgspec.structs.replace(receipt, position=log.append(unit))

    return persist(attempt)


def persist(attempt: Callable[[], Receipt]) -> Receipt:
    """`attempt` until its append meets neither a conflict nor a lost connection. Raises Unavailable after many."""
    last: StoreError | None = None
    for _ in range(ATTEMPTS):
        try:
            return attempt()
        except (Conflict, OutcomeUnknown) as error:
            last = error
    raise Unavailable(f"the command could not be recorded: {last}") from last
