"""What is refused about executions, and what each refusal is called."""

from domain.refusal import Forbidden, Malformed, NotFound


class StepNotRunning(Forbidden):
    """The attempt named is not one that is under way."""

    code = "step_not_running"


class ExecutionEndedAlready(Forbidden):
    """The execution has ended; nothing more can be asked of it."""

    code = "execution_ended"


class ExecutionNotFailed(Forbidden):
    """Only an execution that failed can be retried."""

    code = "execution_not_failed"


class ExecutionCompensated(Forbidden):
    """What the execution did has been undone: there is nothing to go on from."""

    code = "execution_compensated"


class NothingToRetry(Forbidden):
    """No step failed: what comes after the steps did, and would again."""

    code = "nothing_to_retry"


class StepNotReached(Forbidden):
    """The step waits for others; there is nothing of it to retry, skip or reassign yet."""

    code = "step_not_reached"


class StepEndedAlready(Forbidden):
    """The step has ended, and what follows from it has begun."""

    code = "step_ended"


class NotAnAgentTask(Forbidden):
    """Only what an agent does can be given to another agent."""

    code = "not_an_agent_task"


class NoSuchApproval(NotFound):
    """Nobody was asked for that approval."""

    code = "no_such_approval"


class ApproverNotNamed(Forbidden):
    """The step names who may decide, and not this one."""

    code = "approver_not_named"


class ApprovalDecided(Forbidden):
    """The approval is not open any more; details hold its `decision` and who it was `decided_by`, if anybody."""

    code = "approval_decided"


class ReasonRequired(Malformed):
    """The step asks that whoever decides says why."""

    code = "reason_required"


class NoSuchTimer(NotFound):
    """The step has no timer of that kind, or none any more."""

    code = "no_such_timer"


class TimerTooFar(Forbidden):
    """A timer is due within a year."""

    code = "timer_too_far"
