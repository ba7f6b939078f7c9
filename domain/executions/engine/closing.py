"""Closing of the children that a step no longer waits for."""

from uuid import UUID

from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.child import SubProcessClosed
from domain.processes.plan import PlannedSubProcess


def close(unfolding: Unfolding, child: UUID, step: str, attempt: int, reason: str) -> None:
    """Cancel a child, unless its step abandons its children."""
    planned = unfolding.execution.plan.steps[step]
    if isinstance(planned, PlannedSubProcess) and planned.on_parent_close == "cancel":
        unfolding.record(SubProcessClosed, step=step, attempt=attempt, child=child, reason=reason)
