"""Given, when, then, the same in every room: past events, an act, and the events or the refusal that follow.

A room states once how its state follows from past events. Its tests then have this form:

    given = scenario(fold)
    given(drafted(), archived()).when(publish_process, definition, cause).then(refused("process_archived"))

In tests on a database, the state is the object under test: a log, a list, the tables of a projection.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, NamedTuple, Self

import pytest

from domain.refusal import Refusal


class refused(NamedTuple):  # noqa: N801 - reads as a word of the sentence
    """A refusal by its code, for `then`."""

    code: str


class Then:
    """The outcome of one act; the act runs when a test first reads the outcome."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act = act

    @cached_property
    def result(self) -> Any:
        """The return value of the act. Raises its refusal."""
        return self._act()

    @property
    def events(self) -> list[Any]:
        """The events, rows or other items that follow."""
        return list(getattr(self.result, "events", self.result))

    @property
    def names(self) -> list[str]:
        """The names of the events, each with its step if it has one."""
        return names(self.events)

    def then(self, *expected: Any) -> Self:
        """Assert that exactly these follow, in order: events or rows, names as ``StepCompleted(a)``, or one refusal."""
        match expected:
            case (refused(code),):
                assert self.refusal(Refusal).code == code
            case (type() as kind,) if issubclass(kind, Refusal):
                self.refusal(kind)
            case _:
                self.follows(*expected)
        return self

    def follows(self, *expected: Any) -> None:
        """Assert that exactly these events, rows or names follow, in order."""
        by_name = bool(expected) and all(isinstance(each, str) for each in expected)
        assert (self.names if by_name else self.events) == list(expected)

    def refusal(self, kind: type[Refusal], match: str | None = None) -> Any:
        """Assert that a refusal of this kind follows; return it."""
        with pytest.raises(kind, match=match) as found:
            self.result  # noqa: B018 - the act runs here
        return found.value


class Given:
    """The state after past events; `when` does not change it."""

    def __init__(self, state: Any) -> None:
        self.state = state

    def when(self, act: Callable[..., Any], *command: Any, **more: Any) -> Then:
        """Prepare the act `act(state, *command, **more)`."""
        return Then(lambda: act(self.state, *command, **more))


def scenario(state_of: Callable[[Iterable[Any]], Any]) -> Callable[..., Given]:
    """Return `given(*past)`, for a room in which `state_of` folds past events into the state."""
    return lambda *past: Given(state_of(past))


def names(events: Iterable[Any]) -> list[str]:
    """Return the names of events, each with its step if it has one."""
    return [f"{type(e).__name__}({step})" if (step := getattr(e, "step", None)) else type(e).__name__ for e in events]
