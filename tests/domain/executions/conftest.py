"""Plans and causes for tests of executions, and a hand that plays worker and agents."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest

from domain.event import Cause, Event
from domain.executions.decisions.child import start_child
from domain.executions.decisions.execution import start_execution
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.child import SubProcessStarted
from domain.executions.events.execution import Trigger
from domain.executions.state.evolution import fold
from domain.executions.state.model import Execution
from domain.executions.timers import DueTimes
from domain.language.types.definition import Definition
from domain.processes.plan import Limits, Plan, compile_plan
from tests.scenario import Then

PROCESS = UUID(int=7)
USUAL = Limits()
BEGIN = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

E = TypeVar("E", bound=Event)
PlanOf = Callable[..., Plan]
At = Callable[[float], Cause]
Begin = Callable[..., "Run"]
ChildOf = Callable[..., "Run"]


class Run:
    """An execution under test: what was decided so far, one decision after another, and the log of it.

    The to-do list of timers is kept from what the decisions say they set and dropped.
    """

    def __init__(self, begun: Unfolding) -> None:
        self.new = Execution(begun.execution.id, begun.execution.plan, callees=begun.execution.callees)
        self.execution = self.new
        self.events: list[Event] = []
        self.timers: DueTimes = {}
        self.taken: list[str] = []
        self.log(begun)

    def log(self, unfolding: Unfolding) -> Unfolding:
        """Append what was decided."""
        self.events += unfolding.events
        self.execution = unfolding.execution
        self.taken = unfolding.taken
        for key in unfolding.timers_dropped:
            del self.timers[key]
        self.timers.update(unfolding.timers_set)
        return unfolding

    def given(self, decide: Callable[..., Unfolding], *command: Any, after: float, **more: Any) -> "Run":
        """It was decided on a command, `after` so many seconds."""
        self.log(decide(self.execution, *command, cause=_at(after), **more))
        return self

    def when(self, decide: Callable[..., Unfolding], *command: Any, after: float, **more: Any) -> Then:
        """Decide on a command, `after` so many seconds; what is decided is appended."""
        return Then(lambda: self.log(decide(self.execution, *command, cause=_at(after), **more)))

    def due(self, step: str, kind: str) -> float | None:
        """In how many seconds from the beginning that timer is due."""
        due_at = self.timers.get((step, kind))
        return None if due_at is None else (due_at - BEGIN).total_seconds()

    def status(self, step: str) -> str | None:
        """Where the step stands, None when it was not reached."""
        state = self.execution.steps.get(step)
        return None if state is None else state.status

    def last(self, kind: type[E]) -> E:
        """The newest event of that kind."""
        return next(event for event in reversed(self.events) if isinstance(event, kind))

    def replayed(self) -> Execution:
        """The state that the log adds up to."""
        return fold(self.new, self.events)


def _at(seconds: float) -> Cause:
    return Cause(BEGIN + timedelta(seconds=seconds), "user:test", causation="test")


@pytest.fixture(scope="session")
def plan_of() -> PlanOf:
    """plan_of({"a": [], "b": ["a"]}, b={"condition": …}, outputs={…}): a plan of agent tasks by their dependencies.

    root: further fields of the definition, such as `input`.
    """

    def build(
        graph: dict[str, list[str]],
        outputs: dict[str, Any] | None = None,
        root: dict[str, Any] | None = None,
        version: int = 1,
        limits: Limits = USUAL,
        **steps: dict[str, Any],
    ) -> Plan:
        written = [
            {"id": step, "type": "agent_task", "agent": "echo", "message": f"do {step}", "depends_on": needs}
            | steps.get(step, {})
            for step, needs in graph.items()
        ]
        named = [{"name": name, "source": source} for name, source in (outputs or {}).items()]
        definition = {"name": "test", "steps": written, "outputs": named} | (root or {})
        return compile_plan(Definition.model_validate(definition), PROCESS, version, limits)

    return build


@pytest.fixture(scope="session")
def at() -> At:
    """at(5): the cause of something that happens five seconds after the beginning."""
    return _at


@pytest.fixture(scope="session")
def begin(plan_of: PlanOf) -> Begin:
    """begin({"a": [], …}, take=9, given={…}, a={…}): an execution at second 0, whose worker takes what becomes due.

    callees: by its step, the plan of the process that it may call.
    """

    def build(
        graph: dict[str, list[str]],
        take: int = 9,
        given: dict[str, Any] | None = None,
        callees: dict[str, Plan] | None = None,
        **more: Any,
    ) -> Run:
        plan = plan_of(graph, **more)
        called = {**plan.bodies, **(callees or {})}
        return Run(start_execution(UUID(int=1), plan, given or {}, Trigger(), _at(0), take, callees=called))

    return build


@pytest.fixture(scope="session")
def child_of() -> ChildOf:
    """child_of(run, plan, after=1): the execution that `run` asked for last, which runs `plan`."""

    def build(parent: Run, plan: Plan, after: float, take: int = 9, **more: Any) -> Run:
        asked = parent.last(SubProcessStarted)
        callees = more.pop("callees", {})
        new = Execution(asked.child, plan, callees=callees)
        return Run(start_child(new, asked, parent.execution.id, _at(after), take, **more))

    return build
