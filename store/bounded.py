"""The stored form of a decision's events, refused where it is larger than the log takes."""

from collections.abc import Sequence

from domain.event import Event
from domain.refusal import Malformed, Problem
from store.mapper import encode
from store.sizes import LARGEST_EVENT, LARGEST_UNIT, SMALL_DECISION


class EventTooLarge(Malformed):
    """A decision has an event, or events together, that the log does not take."""

    code = "result_too_large"

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message, [Problem(self.code, message, place)])


def encoded(events: Sequence[Event]) -> tuple[list[bytes], int]:
    """Return the stored form of the events of one decision, and its bytes. Raises EventTooLarge."""
    states = list(map(encode, events))
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
