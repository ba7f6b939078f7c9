"""The begin functions of the step types, one file each; each returns whether the step has ended at once."""

from collections.abc import Callable
from typing import Any

from domain.executions.engine.steps import agent_task, approval, gateway, notification, sub_process, timer
from domain.executions.engine.unfolding import Unfolding
from domain.executions.state.model import StepState
from domain.language.expressions import Scope
from domain.processes.plan import (
    PlannedAgentTask,
    PlannedApproval,
    PlannedGateway,
    PlannedNotification,
    PlannedStep,
    PlannedSubProcess,
    PlannedTimer,
)

Begin = Callable[[Unfolding, Any, int, Scope], bool]
BeginAgain = Callable[[Unfolding, Any, StepState], bool]

_BEGIN: dict[type[PlannedStep], Begin] = {
    PlannedAgentTask: agent_task.begin,
    PlannedApproval: approval.begin,
    PlannedGateway: gateway.begin,
    PlannedNotification: notification.begin,
    PlannedSubProcess: sub_process.begin,
    PlannedTimer: timer.begin,
}
_BEGIN_AGAIN: dict[type[PlannedStep], BeginAgain] = {
    PlannedAgentTask: agent_task.begin_again,
    PlannedApproval: approval.begin_again,
    PlannedNotification: notification.begin_again,
    PlannedSubProcess: sub_process.begin_again,
    PlannedTimer: timer.begin_again,
}


def begin(unfolding: Unfolding, step: PlannedStep, attempt: int, visible: Scope) -> bool:
    """Begin an attempt in the present scope. Raises EvaluationFailed, and then records nothing."""
    return _BEGIN[type(step)](unfolding, step, attempt, visible)


def begin_again(unfolding: Unfolding, step: PlannedStep) -> bool:
    """Begin the next attempt with the input of the one before."""
    return _BEGIN_AGAIN[type(step)](unfolding, step, unfolding.execution.steps[step.id])
