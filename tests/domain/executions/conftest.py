"""Plans and causes for tests of executions, and a hand that plays worker and agents."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.event import Cause
from domain.processes.definition import Definition
from domain.processes.plan import Plan, compile_plan

PROCESS = UUID(int=7)
BEGIN = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

PlanOf = Callable[..., Plan]
At = Callable[[float], Cause]


@pytest.fixture(scope="session")
def plan_of() -> PlanOf:
    """plan_of({"a": [], "b": ["a"]}, b={"condition": …}, outputs={…}): a plan of agent tasks by their dependencies."""

    def build(graph: dict[str, list[str]], outputs: dict[str, Any] | None = None, **steps: dict[str, Any]) -> Plan:
        written = [
            {"id": id, "type": "agent_task", "agent": "echo", "message": f"do {id}", "depends_on": needs}
            | steps.get(id, {})
            for id, needs in graph.items()
        ]
        named = [{"name": name, "source": source} for name, source in (outputs or {}).items()]
        return compile_plan(Definition.model_validate({"name": "test", "steps": written, "outputs": named}), PROCESS, 1)

    return build


@pytest.fixture(scope="session")
def at() -> At:
    """at(5): the cause of something that happens five seconds after the beginning."""
    return lambda seconds: Cause(BEGIN + timedelta(seconds=seconds), "user:test", causation="test")
