"""Read the stream, decide, append at the version read; on a conflict read and decide again."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

import msgspec

from commands.receipt import Receipt
from domain.event import Event
from store.log import Log
from store.unit import AnsweredStep, AppendRefused, Conflict, OutcomeUnknown, StoreError, StreamChange, Unit

ATTEMPTS = 20

State = TypeVar("State")
Identified = Callable[[Receipt], AnsweredStep | None]
Guards = tuple[tuple[UUID, int], ...]


class Together(msgspec.Struct, frozen=True):
    """The parts of a decision beside its events: versions that it rests on, and changes of other streams."""

    guards: Guards = ()
    before: tuple[StreamChange, ...] = ()

    def __add__(self, other: "Together") -> "Together":
        """Return the guards and changes of both."""
        return Together((*self.guards, *other.guards), (*self.before, *other.before))


class Unavailable(Exception):
    """The event store is out of reach, or too contended; the command itself may be right."""


def unidentified(_receipt: Receipt) -> None:
    """Return no answered step: the command has no Idempotency-Key."""


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

    fold: returns the state after the stream's events; a stream without events does not exist. decision: pure; returns
    events or raises a Refusal. facts: returns the facts for the caller, from the state before and the new events.
    identified: pairs the answer with its key. together: returns the versions that the new events rest on, and the
    changes that are recorded with them or not at all. Raises Unavailable when the store stays out of reach.
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
    """Repeat `attempt` while its append meets a conflict or a lost connection.

    Raises Unavailable after many, and at once where the database refuses to record.
    """
    last: StoreError | None = None
    for _ in range(ATTEMPTS):
        try:
            return attempt()
        except AppendRefused as error:
            raise Unavailable(str(error)) from error
        except (Conflict, OutcomeUnknown) as error:
            last = error
    raise Unavailable(f"the command could not be recorded: {last}") from last
