"""Decisions about an execution as a whole: pure functions of state, command and cause."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from domain.agents.calls import StepError
from domain.event import Cause
from domain.executions.decisions.refusals import ExecutionEndedAlready
from domain.executions.engine.advance import advance
from domain.executions.engine.ending import abandon, cancel, fail
from domain.executions.engine.queueing import key_of, priority_of, refuse_misplaced
from domain.executions.engine.reaching import reach
from domain.executions.engine.unfolding import Take, Unfolding
from domain.executions.events.child import Parent
from domain.executions.events.execution import (
    CausingEvent,
    ExecutionAdmitted,
    ExecutionQueued,
    ExecutionStarted,
    Trigger,
)
from domain.executions.events.outcomes import (
    CANCELLED,
    COMPENSATING,
    QUEUED,
    RUNNING,
)
from domain.executions.state.model import Execution
from domain.executions.state.slot import needs_slot
from domain.language.expressions import EvaluationFailed
from domain.processes.plan import Plan
from domain.refusal import Forbidden


def start_execution(
    id: UUID,
    plan: Plan,
    input: dict[str, Any],
    trigger: Trigger,
    cause: Cause,
    take: Take = 0,
    *,
    callees: Mapping[str, Plan] = {},
    parent: Parent | None = None,
    descendants: int = 0,
    waits: bool = False,
    because: CausingEvent | None = None,
) -> Unfolding:
    """Start an execution of `plan` with `input` (checked and complete), or queue it for a concurrency slot.

    callees: by its step, the plan of each process that may be called; unavailable ones are left out. descendants:
    number of executions that its root had started before; one above the limit fails at once. waits: its process is
    paused, so it is queued in any case. because: as in ExecutionStarted. Raises Forbidden (cause_too_deep), or
    Malformed where the input gives no key or no priority; a child fails at once for that.
    """
    if because is not None and because.depth > plan.limits.max_depth:
        message = f"agents start executions because of one another at most {plan.limits.max_depth} deep"
        raise Forbidden(message, code="cause_too_deep")
    if parent is None:
        refuse_misplaced(plan, input)
    unfolding = Unfolding(Execution(id, plan, callees=callees), cause, take)
    unfolding.record(
        ExecutionStarted,
        process_id=plan.process_id,
        process=plan.name,
        version=plan.version,
        input=input,
        steps=plan.size,
        trigger=trigger,
        parent=parent,
        pinned={step: callee.version for step, callee in callees.items() if not callee.body},
        because=because,
        body=plan.body,
    )
    if parent is not None and descendants >= plan.limits.max_descendants:
        message = f"execution {parent.root} has started {descendants} others, directly or not, and may not start more"
        fail(unfolding, StepError("too_many_descendants", message, permanent=True), None)
        return unfolding
    try:
        key, priority = key_of(plan, input), priority_of(plan, input)
    except EvaluationFailed as failed:
        fail(unfolding, StepError(failed.code, failed.message, permanent=True), None)
        return unfolding
    takes_slot = needs_slot(unfolding.execution)
    if waits or takes_slot:
        line = {"slot_key": key, "priority": priority, "called": parent is not None}
        unfolding.record(ExecutionQueued, process_id=plan.process_id, takes_slot=takes_slot, **line)
    else:
        _begin(unfolding)
    return unfolding


def admit_execution(execution: Execution, cause: Cause, take: Take = 0, *, limit: int | None = None) -> Unfolding:
    """Admit the execution that is first in line, for a slot or until its process is resumed.

    limit: of executions of its key at once; the append refuses it above that. Returns no events when it does not wait.
    """
    unfolding = Unfolding(execution, cause, take)
    if execution.status == QUEUED:
        within = limit if needs_slot(execution) else None
        unfolding.record(ExecutionAdmitted, process_id=execution.plan.process_id, limit=within)
        _begin(unfolding)
    return unfolding


def _begin(unfolding: Unfolding) -> None:
    execution, plan = unfolding.execution, unfolding.execution.plan
    advance(
        unfolding, [step for step in plan.roots if execution.status == RUNNING and reach(unfolding, plan.steps[step])]
    )


def fail_execution(execution: Execution, error: StepError, cause: Cause) -> Unfolding:
    """Fail the execution, because no decision on it can be recorded as it is. Returns no events when it has ended."""
    unfolding = Unfolding(execution, cause)
    if execution.status in (RUNNING, QUEUED):
        fail(unfolding, error, None)
        advance(unfolding, ())
    elif execution.status == COMPENSATING:
        abandon(unfolding)
    return unfolding


def cancel_execution(execution: Execution, reason: str, cause: Cause, take: Take = 0) -> Unfolding:
    """Cancel the execution: abandon the attempts under way, and compensate completed steps.

    Returns no events when it is cancelled already, or will be. Raises ExecutionEndedAlready when it completed or
    failed, or will fail.
    """
    unfolding = Unfolding(execution, cause, take)
    if execution.status in (RUNNING, QUEUED):
        cancel(unfolding, reason)
        advance(unfolding, ())
    elif execution.status == COMPENSATING and execution.outcome is not None:
        if execution.outcome.status != CANCELLED:
            raise ExecutionEndedAlready("the execution has failed and is being undone", status=COMPENSATING)
    elif execution.status != CANCELLED:
        raise ExecutionEndedAlready(f"the execution is {execution.status} already", status=execution.status)
    return unfolding
