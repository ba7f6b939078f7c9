"""The agent calls that one worker has open."""

from collections.abc import Callable, Iterable
from uuid import UUID

from commands.agents import AgentDirectory
from domain.agents.calls import AgentCall, Answer, Failed, StepError, callback_token
from domain.executions.execution import Execution
from domain.processes.plan import PlannedAgentTask
from gateway.gateway import AgentGateway

Attempt = tuple[UUID, str, int]

CALL_BACK = frozenset(("http",))
"""Kinds of agents that may answer later and need a token to do so."""


class Calling:
    """Turns attempts into calls and remembers which are open until their answers are about to be recorded."""

    def __init__(
        self,
        agents: AgentDirectory,
        gateway: AgentGateway,
        deliver: Callable[[AgentCall, Answer], None],
        callback_key: bytes,
    ) -> None:
        self._agents = agents
        self._gateway = gateway
        self._deliver = deliver
        self._callback_key = callback_key
        self._open: dict[Attempt, AgentCall] = {}

    @property
    def open(self) -> int:
        """How many calls are open, answers that wait to be recorded included."""
        return len(self._open)

    def attempts(self) -> set[Attempt]:
        """The attempts that are open now; may be asked from another thread."""
        return set(self._open.copy())

    def begin(self, execution: Execution, step: str) -> None:
        """Call the agent of an attempt that has just been started; never waits for the answer."""
        planned, state = execution.plan.steps[step], execution.steps[step]
        config = self._agents.config(state.agent)
        calls_back = config is not None and config["kind"] in CALL_BACK
        call = AgentCall(
            execution.id,
            step,
            state.attempt,
            state.agent,
            execution.plan.name,
            execution.plan.version,
            state.message,
            state.parameters,
            planned.output_schema if isinstance(planned, PlannedAgentTask) else None,
            None,
            callback_token(self._callback_key, execution.id, step, state.attempt) if calls_back else "",
        )
        self._open[execution.id, step, state.attempt] = call
        if config is None:
            error = StepError("agent_unknown", f"no agent {state.agent!r} is registered", permanent=True)
            self._deliver(call, Failed(error))
        else:
            self._gateway.begin(call, config, self._deliver)

    def answered(self, calls: Iterable[AgentCall]) -> None:
        """These calls are open no longer."""
        for call in calls:
            self._open.pop((call.execution_id, call.step, call.attempt), None)

    def cancel(self, attempts: Iterable[Attempt]) -> None:
        """Nobody needs the answers of these any longer."""
        for attempt in attempts:
            if self._open.pop(attempt, None) is not None:
                self._gateway.cancel(*attempt)
