"""Where a decision puts an execution of a process that limits how many of it run at once."""

from domain.executions.decisions import queues
from domain.executions.execution import ACTIVE, QUEUED, Execution
from store.unit import Place


def place_of(status: str, after: Execution) -> Place | None:
    """What has changed since the execution was in `status` (empty: it was not there); None for nothing."""
    plan = after.plan
    if status == after.status or not queues(after):
        return None
    if after.status == QUEUED:
        return Place(plan.process_id, "queued")
    if after.status in ACTIVE:
        return None if status in ACTIVE else Place(plan.process_id, "running")
    return Place(plan.process_id, "left")
