"""Decisions on executions of which many steps go through lists at once."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any
from uuid import UUID

from domain.event import Cause, Event
from domain.executions.decisions.execution import cancel_execution, start_execution
from domain.executions.events.execution import Trigger
from domain.executions.state.evolution import fold
from domain.executions.state.model import Execution
from domain.language import load_definition
from domain.processes.plan import compile_plan

ID = UUID(int=1)
CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:ann")
ITEMS = 20
SAY = [{"id": "say", "type": "agent_task", "agent": "echo", "message": "go"}]
EACH = {"type": "sub_process", "for_each": {"items": list(range(ITEMS)), "max_parallel": ITEMS}, "steps": SAY}

Case = tuple[str, Callable[[Any], object], Callable[[int], Any], int]


def cases() -> Iterator[Case]:
    """Yield the name of each case, its function, its input by the number of steps, and that number."""
    for on_close in ("cancel", "abandon"):
        yield f"cancel of lists: {on_close}", _cancel, partial(_begun, on_close), 200
        yield f"fold of cancelled lists: {on_close}", _folded, partial(_cancelled, on_close), 200


def _cancel(execution: Execution) -> object:
    return cancel_execution(execution, "enough", CAUSE)


def _folded(given: tuple[Execution, list[Event]]) -> object:
    return fold(*given)


@cache
def _begun(on_close: str, steps: int) -> Execution:
    """Return an execution of which every step waits for its items."""
    written = [{"id": f"each{n}", "on_parent_close": on_close, **EACH} for n in range(steps)]
    plan = compile_plan(load_definition({"name": "p", "steps": written}), UUID(int=2), 1)
    return start_execution(ID, plan, {}, Trigger(), CAUSE, callees=plan.bodies).execution


def _cancelled(on_close: str, steps: int) -> tuple[Execution, list[Event]]:
    """Return that execution, and the events of its cancellation."""
    begun = _begun(on_close, steps)
    return begun, cancel_execution(begun, "enough", CAUSE).events
