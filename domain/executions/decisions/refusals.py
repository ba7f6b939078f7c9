"""Refusals about executions."""

from collections.abc import Collection

from domain.refusal import Forbidden, Malformed, NotFound
from domain.words import did_you_mean


class StepNotRunning(Forbidden):
    """The attempt named is not one that is under way."""

    code = "step_not_running"


class ExecutionEndedAlready(Forbidden):
    """The execution has ended; it accepts no further command."""

    code = "execution_ended"


class ExecutionNotFailed(Forbidden):
    """Only an execution that failed can be retried."""

    code = "execution_not_failed"


class ExecutionCompensated(Forbidden):
    """The work of the execution has been compensated: there is nothing to continue from."""

    code = "execution_compensated"


class NothingToRetry(Forbidden):
    """No step failed: the outputs did, and would fail again."""

    code = "nothing_to_retry"


class StepNotReached(Forbidden):
    """The step waits for others; it cannot be retried, skipped or reassigned yet."""

    code = "step_not_reached"


class StepEndedAlready(Forbidden):
    """The step has ended, and its consequences have begun."""

    code = "step_ended"


class NotAnAgentTask(Forbidden):
    """Only an agent's work can be reassigned to another agent."""

    code = "not_an_agent_task"


class NoSuchApproval(NotFound):
    """No attempt requested that approval."""

    code = "no_such_approval"


class NoSuchStep(NotFound):
    """The process has no step of that id."""

    def __init__(self, step: str, steps: Collection[str]) -> None:
        hint = did_you_mean(step, steps)
        super().__init__(f"the process has no step {step[:80]!r}" + (f"; {hint}" if hint else ""))


class ApproverNotNamed(Forbidden):
    """The step names its approvers, and this person is not among them."""

    code = "approver_not_named"


class ApprovalDecided(Forbidden):
    """The approval is no longer open; details hold its `decision` and, after a person's decision, `decided_by`."""

    code = "approval_decided"


class ReasonRequired(Malformed):
    """The step requires a reason with each decision."""

    code = "reason_required"


class NotSetAside(NotFound):
    """The execution is not set aside."""

    code = "not_set_aside"


class NoSuchTimer(NotFound):
    """The step has no timer of that kind, or no longer has it."""

    code = "no_such_timer"


class TimerTooFar(Forbidden):
    """A timer must be due within a year."""

    code = "timer_too_far"
