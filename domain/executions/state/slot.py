"""Concurrency slots: which executions need one, and how a decision moves them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from domain.executions.events.outcomes import ACTIVE, QUEUED
from domain.executions.state.model import Execution


class Slot(msgspec.Struct, frozen=True):
    """The change that an execution makes to the concurrency slots of its process and key.

    rank: its place in line, the earliest first; None where that counts no more. called: another execution started it.
    """

    process_id: UUID
    state: Literal["queued", "running", "left"]
    key: str = ""
    rank: datetime | None = None
    called: bool = False


def needs_slot(execution: Execution) -> bool:
    """Return whether its process has a limit, and no execution that waits for this one holds a slot of the process.

    A slot of any key will do: if it needed one of its own key, two executions could each hold what the other waits for.
    """
    held = () if execution.parent is None else execution.parent.holds
    return execution.plan.max_running is not None and execution.plan.process_id not in held


def slot_of(status: str, after: Execution) -> Slot | None:
    """Return how the slot of the execution changes since its former `status` (empty: new); None for no change.

    An execution that only a pause of its process holds back waits in the same line, and leaves it when it begins.
    """
    if status == after.status:
        return None
    if after.status == QUEUED:
        return _slot(after, "queued")
    if not needs_slot(after):
        return _slot(after, "left") if status == QUEUED else None
    if after.status in ACTIVE:
        return None if status in ACTIVE else _slot(after, "running")
    return _slot(after, "left")


def _slot(execution: Execution, state: Literal["queued", "running", "left"]) -> Slot:
    entry, process_id = execution.queued, execution.plan.process_id
    if entry is None or state == "left":
        return Slot(process_id, state)
    return Slot(process_id, state, entry.key, entry.rank, entry.called)
