"""Concurrency slots: which executions need one, and how a decision moves them."""

from typing import Literal
from uuid import UUID

import msgspec

from domain.executions.events.outcomes import ACTIVE, QUEUED
from domain.executions.state.model import Execution


class Slot(msgspec.Struct, frozen=True):
    """The change that an execution makes to the concurrency slots of a process with a limit."""

    process_id: UUID
    state: Literal["queued", "running", "left"]


def needs_slot(execution: Execution) -> bool:
    """Return whether its process has a limit, and no execution that waits for this one holds a slot of the process."""
    held = () if execution.parent is None else execution.parent.holds
    return execution.plan.max_running is not None and execution.plan.process_id not in held


def slot_of(status: str, after: Execution) -> Slot | None:
    """Return how the slot of the execution changes since its former `status` (empty: new); None for no change.

    An execution that only a pause of its process holds back waits in the same line, and leaves it when it begins.
    """
    plan = after.plan
    if status == after.status:
        return None
    if after.status == QUEUED:
        return Slot(plan.process_id, "queued")
    if not needs_slot(after):
        return Slot(plan.process_id, "left") if status == QUEUED else None
    if after.status in ACTIVE:
        return None if status in ACTIVE else Slot(plan.process_id, "running")
    return Slot(plan.process_id, "left")
