"""Given, when, then, the same in every room: what happened, what is done about it, and what follows or is refused.

A room says once how its state follows from what happened, and what it does is then written as

    given = scenario(fold)
    given(drafted(), archived()).when(publish_process, definition, cause).then(refused("process_archived"))

Where things happen to a database, the state is what the test works on: a log, a list, a projection's tables.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, NamedTuple

import pytest

from domain.refusal import Refusal


class refused(NamedTuple):  # noqa: N801 - reads as a word of the sentence
    """A refusal by its code, for `then`."""

    code: str


class Then:
    """What follows from one act, worked out when it is asked for."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act = act

    @cached_property
    def result(self) -> Any:
        """What the act returned, as it is. Raises what refused it."""
        return self._act()

    @property
    def events(self) -> list[Any]:
        """The events, or rows, or whatever follows."""
        return list(getattr(self.result, "events", self.result))

    @property
    def names(self) -> list[str]:
        """The names of the events, each with its step if it has one."""
        return names(self.events)

    def then(self, *expected: Any) -> "Then":
        """Exactly these follow, in this order: events or rows, names such as ``StepCompleted(a)``, or one refusal."""
        match expected:
            case (refused(code),):
                assert self.refusal(Refusal).code == code
            case (type() as kind,) if issubclass(kind, Refusal):
                self.refusal(kind)
            case _ if expected and all(isinstance(each, str) for each in expected):
                assert self.names == list(expected)
            case _:
                assert self.events == list(expected)
        return self

    def refusal(self, kind: type[Refusal], match: str | None = None) -> Any:
        """The refusal that follows."""
        with pytest.raises(kind, match=match) as found:
            self.result  # noqa: B018 - the act happens here
        return found.value


class Given:
    """The state that what happened has led to; `when` leaves it alone."""

    def __init__(self, state: Any) -> None:
        self.state = state

    def when(self, act: Callable[..., Any], *command: Any, **more: Any) -> Then:
        """Do this to the state, as `act(state, *command, **more)`."""
        return Then(lambda: act(self.state, *command, **more))


def scenario(state_of: Callable[[Iterable[Any]], Any]) -> Callable[..., Given]:
    """given(*what happened), for a room in which `state_of` gives the state that it leads to."""
    return lambda *happened: Given(state_of(happened))


def names(events: Iterable[Any]) -> list[str]:
    """The names of events, each with its step if it has one."""
    return [f"{type(e).__name__}({step})" if (step := getattr(e, "step", None)) else type(e).__name__ for e in events]
