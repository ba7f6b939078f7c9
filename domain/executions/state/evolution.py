"""Evolution of an execution by its events: dispatches to the functions of this room by the kind of event."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from domain.event import Event
from domain.executions.state.model import Execution

Evolve = TypeVar("Evolve", bound=Callable[[Execution, Any], None])

EVOLVE: dict[type[Event], Callable[[Execution, Any], None]] = {}
"""By kind of event, the function that changes the state; `evolve` counts the version as well."""


def evolves(kind: type[Event]) -> Callable[[Evolve], Evolve]:
    """Register the function that applies events of `kind`. Raises ValueError if `kind` has one already."""

    def register(function: Evolve) -> Evolve:
        if kind in EVOLVE:
            raise ValueError(f"{kind.__name__} has two functions that apply it")
        EVOLVE[kind] = function
        return function

    return register


def evolve(execution: Execution, event: Event) -> Execution:
    """Change `execution` to the state after `event` and return it; decisions evolve a copy of theirs."""
    EVOLVE[type(event)](execution, event)
    execution.version += 1
    return execution


def fold(execution: Execution, events: Iterable[Event]) -> Execution:
    """Return the state after all `events`, in order; `execution` itself stays unchanged."""
    folded = execution.copy()
    for event in events:
        evolve(folded, event)
    return folded


def evolved_events() -> frozenset[type[Event]]:
    """Return the kinds of events that an execution's stream may hold."""
    return frozenset(EVOLVE)
