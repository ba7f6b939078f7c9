"""Repairs by operators of executions and steps that went wrong: retry, skip, reassign."""

from commands.agents import Agents
from commands.command import Command, CommandScope, ExecutionId, NameOfAgent, Note, Reason, StepReference
from commands.deciding import Identified, unidentified
from commands.executions import Executions
from commands.receipt import Receipt
from domain.agents.agent import ACTIVE
from domain.event import Cause
from domain.executions.decisions import repairs
from domain.refusal import Forbidden


class RetryExecution(Command, frozen=True):
    """Continue a failed execution from what failed. reason: why, for people."""

    scope = CommandScope.EXECUTIONS_WRITE
    execution_id: ExecutionId
    reason: Note = ""


class RetryStep(Command, frozen=True):
    """Begin a step again at once. reason: why, for people."""

    scope = CommandScope.STEPS_REPAIR
    execution_id: ExecutionId
    step: StepReference
    reason: Reason


class SkipStep(Command, frozen=True):
    """Continue without a step. reason: why, for people."""

    scope = CommandScope.STEPS_REPAIR
    execution_id: ExecutionId
    step: StepReference
    reason: Reason


class ReassignStep(Command, frozen=True):
    """Give a step to another agent. agent: the name of that agent. reason: why, for people."""

    scope = CommandScope.STEPS_REPAIR
    execution_id: ExecutionId
    step: StepReference
    agent: NameOfAgent
    reason: Reason


class AgentUnknown(Forbidden):
    """No active agent has that name."""

    code, noun = "unknown_agent", "agent"


class Repairs:
    """The handlers of the commands above, one append each. All raise NotFound, and the refusals of `repairs`."""

    def __init__(self, executions: Executions, agents: Agents) -> None:
        self._executions = executions
        self._agents = agents

    def retry_execution(self, command: RetryExecution, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Continue a failed execution from what failed, in new attempts."""
        return self._executions.decide(
            command.execution_id,
            lambda execution: repairs.retry_execution(execution, command.reason, cause),
            identified,
        )

    def retry_step(self, command: RetryStep, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Begin a step again; if an attempt is due already, this is a duplicate."""
        return self._executions.decide(
            command.execution_id,
            lambda execution: repairs.retry_step(execution, command.step, command.reason, cause),
            identified,
        )

    def skip_step(self, command: SkipStep, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Continue the execution without the step."""
        return self._executions.decide(
            command.execution_id,
            lambda execution: repairs.skip_step(execution, command.step, command.reason, cause),
            identified,
        )

    def reassign_step(self, command: ReassignStep, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Give the step to the agent; if the agent has it already, this is a duplicate. Raises AgentUnknown too."""
        self.require_active(command.agent)
        return self._executions.decide(
            command.execution_id,
            lambda execution: repairs.reassign_step(execution, command.step, command.agent, command.reason, cause),
            identified,
        )

    def require_active(self, agent: str) -> None:
        """Raise AgentUnknown unless there is an active agent of that name."""
        status = self._agents.statuses([agent]).get(agent)
        if status is None:
            raise AgentUnknown(f"there is no agent {agent!r}", agent=agent)
        if status != ACTIVE:
            raise AgentUnknown(f"the agent {agent!r} is retired", code="retired_agent")
