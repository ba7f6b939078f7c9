"""The ids of responses that models make in the background, recorded for the gateway of a worker."""

from uuid import UUID

from commands.executions import Executions, StartResponse
from domain.agents.calls import AgentCall
from domain.clock import Clock
from domain.event import Cause
from domain.executions.events.outcomes import RUNNING


class RecordedResponses:
    """Implements `KeepsResponses` in the log."""

    def __init__(self, executions: Executions, clock: Clock, worker: UUID) -> None:
        self._executions = executions
        self._clock = clock
        self._actor = f"worker:{worker}"

    def keep(self, call: AgentCall, response_id: str) -> None:
        """Record the id with its attempt. Raises NotFound or DatabaseFailure."""
        cause = Cause(self._clock.now(), self._actor, call.idempotency_key)
        self._executions.start_response(StartResponse(call.execution_id, call.step, call.attempt, response_id), cause)

    def is_over(self, call: AgentCall) -> bool:
        """Return whether the attempt has ended by the log. Raises NotFound or DatabaseFailure."""
        execution = self._executions.load(call.execution_id)
        step = execution.steps.get(call.step)
        return execution.ended_at is not None or step is None or (step.status, step.attempt) != (RUNNING, call.attempt)
