"""Read the stream, decide, append at the version read; on a conflict read and decide again."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

import msgspec

from commands.receipt import Receipt
from domain.event import Event
from domain.refusal import Refusal
from store.log import Log
from store.unit import (
    AnsweredStep,
    AppendOverdue,
    AppendRefused,
    Conflict,
    DatabaseFailure,
    KeyTaken,
    OutcomeUnknown,
    StoreError,
    StreamChange,
    Unit,
)

ATTEMPTS = 20
LOSSES = 3
"""So many connections in a row may be lost with one append of this command alone."""

ADVICE = (
    "Repeat the request with the same Idempotency-Key until it is answered: it is recorded once. Without a key,"
    " check first whether it was recorded."
)

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


class DecisionBroke(Exception):
    """A decision about `stream` failed for an unforeseen reason, or the server refuses to record it; others go on."""

    def __init__(self, stream: UUID, error: Exception) -> None:
        super().__init__(f"the decision about {stream} broke, nothing was recorded: {type(error).__name__}: {error}")
        self.stream = stream


class Unavailable(Exception):
    """The event store is out of reach, or too contended; the command itself may be right."""


class OutcomeOverdue(Unavailable):
    """The database did not answer in time: it may have recorded the command, or record it later."""

    code = "outcome_unknown"

    def __init__(self, error: AppendOverdue) -> None:
        super().__init__(f"{error}. {ADVICE}")


class Contended(Unavailable):
    """Each of many decisions about `stream` met a conflict: others change it all the time, or it has a hole."""

    def __init__(self, stream: UUID, error: StoreError) -> None:
        super().__init__(f"the command about {stream} met a conflict {ATTEMPTS} times, nothing was recorded: {error}")
        self.stream = stream


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

    return persist(log, attempt, stream)


def persist(log: Log, attempt: Callable[[], Receipt], stream: UUID) -> Receipt:
    """Repeat `attempt`, which reads and appends, while its append meets a conflict or a lost connection.

    Raises Unavailable after many, and at once where the database refuses to record or does not answer in time.
    Raises DecisionBroke, which names `stream`, when the attempt breaks or the server refuses its events.
    """
    last: StoreError | None = None
    for tried in range(1, ATTEMPTS + 1):
        try:
            with log.deciding():
                return attempt()
        except AppendRefused as error:
            raise Unavailable(str(error)) from error
        except AppendOverdue as error:
            raise OutcomeOverdue(error) from error
        except (Conflict, OutcomeUnknown) as error:
            last = error
            if isinstance(error, OutcomeUnknown) and error.alone and tried >= LOSSES:
                raise DecisionBroke(stream, error) from error
        except (Refusal, KeyTaken, DecisionBroke, DatabaseFailure):
            raise
        except Exception as error:
            raise DecisionBroke(stream, error) from error
    if isinstance(last, Conflict):
        raise Contended(stream, last) from last
    raise Unavailable(f"the command about {stream} could not be recorded: {last}") from last
