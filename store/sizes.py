"""The bounds in bytes of what the store takes in one piece: an event, a decision, an append, a page."""

from collections.abc import Sequence
from typing import Any

from domain.event import Event
from domain.refusal import Malformed, Problem
from store.mapper import encode

# Rendering makes 4 MiB for a step at most, and an answer has 1 MiB before the event writes it as JSON.
LARGEST_EVENT = 8 << 20
# An answer, everything that one decision renders, and the constant texts of the steps that it begins.
LARGEST_UNIT = 64 << 20
# An execution at its bound still takes small answers.
SMALL_DECISION = 64 << 10
# An append takes further units until it has so much; PostgreSQL refuses a message of 1 GiB.
FULL_APPEND = 16 << 20
# A page of events ends with the event that reaches this.
FULL_PAGE = 16 << 20
# A query answers with so many bytes of documents, or with one that is larger.
FULL_ANSWER = 4 << 20


def is_full(rows: Sequence[tuple[Any, ...]], full: int = FULL_PAGE) -> bool:
    """Return whether rows (position, stream, version, topic, state) make a page full: the log may hold more."""
    return sum(len(row[4]) for row in rows) >= full


class EventTooLarge(Malformed):
    """A decision has an event, or events together, that the log does not take."""

    code = "result_too_large"

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message, [Problem(self.code, message, place)])


def encoded(events: Sequence[Event]) -> tuple[list[bytes], int]:
    """Return the stored form of the events of one decision, and its bytes. Raises EventTooLarge."""
    states = [encode(event) for event in events]
    size = sum(map(len, states))
    if size > LARGEST_EVENT:
        _check(events, states)
    return states, size


def refuse_growth(before: int, added: int, most: int) -> None:
    """Raise EventTooLarge when an execution of `before` bytes would grow beyond `most`; small decisions always fit."""
    if added > SMALL_DECISION and before + added > most:
        raise EventTooLarge(f"the events of one execution have at most {most} bytes together")


def _check(events: Sequence[Event], states: Sequence[bytes]) -> None:
    """Raise EventTooLarge for the largest event that is beyond the bound, or when all are beyond theirs."""
    size, event = max(((len(state), event) for event, state in zip(events, states, strict=True)), key=lambda it: it[0])
    if size > LARGEST_EVENT:
        message = f"{type(event).__name__} would be an event of {size} bytes; the log takes {LARGEST_EVENT} at most"
        raise EventTooLarge(message, _place(event))
    together = sum(map(len, states))
    if together > LARGEST_UNIT:
        message = f"one decision would record {together} bytes; the log takes {LARGEST_UNIT} at most"
        raise EventTooLarge(message)


def _place(event: Event) -> str:
    step = getattr(event, "step", None)
    if isinstance(step, str):
        return f"steps.{step}"
    return "input" if hasattr(event, "input") else ""
