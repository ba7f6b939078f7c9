"""The call of an agent that an attempt under way makes."""

from domain.agents.calls import AgentCall
from domain.executions.state.model import Execution
from domain.processes.plan import PlannedAgentTask


def call_of(execution: Execution, step: str, callback_token: str = "") -> AgentCall:
    """Return the call of a step's latest attempt. callback_token: of an agent that may answer later."""
    planned, state = execution.plan.steps[step], execution.steps[step]
    return AgentCall(
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
        callback_token,
        state.response_id,
        state.started_at,
    )
