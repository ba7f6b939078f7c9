"""Decisions on executions of which many steps go through lists at once take time in proportion to the steps."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache, partial
from uuid import UUID

import pytest

from domain.event import Cause, Event
from domain.executions.decisions.execution import cancel_execution, start_execution
from domain.executions.events.execution import Trigger
from domain.executions.state.evolution import fold
from domain.executions.state.model import Execution
from domain.language import load_definition
from domain.processes.plan import compile_plan
from tests.laws.growing import Growing

ID = UUID(int=1)
CAUSE = Cause(datetime(2026, 1, 1, tzinfo=UTC), "user:ann")
ITEMS = 20
SAY = [{"id": "say", "type": "agent_task", "agent": "echo", "message": "go"}]
EACH = {"type": "sub_process", "for_each": {"items": list(range(ITEMS)), "max_parallel": ITEMS}, "steps": SAY}


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


def cases() -> Iterator[Growing]:
    """Yield each decision, and the fold of its events."""
    for closing in ("cancel", "abandon"):
        yield Growing(
            f"cancel of lists: {closing}",
            lambda begun: cancel_execution(begun, "enough", CAUSE),
            partial(_begun, closing),
            200,
        )
        yield Growing(
            f"fold of cancelled lists: {closing}", lambda given: fold(*given), partial(_cancelled, closing), 200
        )


ALL = list(cases())


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_four_times_as_much_takes_no_more_than_nine_times_as_long(case: Growing) -> None:
    case.require_linear()
