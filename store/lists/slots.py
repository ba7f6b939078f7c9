"""Concurrency slots: of processes that limit how many run at once or are paused, which executions wait, in order.

Of those with a limit, the list also holds which run. `store/lists/queues.py` reads it; `slot_lines`, which the database
keeps beside it, counts the executions of each line.
"""

from datetime import UTC, datetime
from uuid import UUID

from domain.executions.events.execution import ExecutionAdmitted
from domain.executions.state.slot import Slot
from store import arrays
from store.lists.kept import Arguments, KeptList, Moves
from store.lists.slots_proof import SlotsProof
from store.unit import StreamChange

NO_RANK = datetime(2000, 1, 1, tzinfo=UTC)
"""The rank of an execution that never waited; it counts only while one waits."""


class SlotMoves(Moves):
    """The executions that one append lets wait, lets run, or takes off the list."""

    function = "move_slots_v2"

    def __init__(self) -> None:
        self._slots: dict[UUID, Slot] = {}
        self._limits: dict[UUID, int] = {}
        """Of executions that begin within a limit."""

    def _admitted(self, event: ExecutionAdmitted, change: StreamChange, _stream: bytes, _version: int) -> None:
        """Collect the limit within which an execution begins."""
        if event.limit is not None:
            self._limits[change.stream] = event.limit

    handlers = {ExecutionAdmitted: _admitted}

    def add_change(self, change: StreamChange) -> None:
        """Collect the slot of `change`: whether an execution needs one follows from its plan."""
        if change.slot is not None:
            self._slots[change.stream] = change.slot

    def arguments(self) -> Arguments:
        """Return which executions leave, which wait or run, and how many may run in the lines where some begin."""
        if not self._slots:
            return ()
        placed = {execution: slot for execution, slot in self._slots.items() if slot.state != "left"}
        slots = list(placed.values())
        limits: dict[tuple[UUID, str], int] = {}
        for execution, limit in self._limits.items():
            slot = placed.get(execution)
            if slot is not None and slot.state == "running":
                line = slot.process_id, slot.key
                limits[line] = min(limit, limits.get(line, limit))
        return (
            arrays.uuids([execution for execution in self._slots if execution not in placed]),
            arrays.uuids(list(placed)),
            arrays.uuids([slot.process_id for slot in slots]),
            arrays.texts([slot.key for slot in slots]),
            arrays.timestamptzs([slot.rank or NO_RANK for slot in slots]),
            arrays.bools([slot.called for slot in slots]),
            arrays.bools([slot.state == "running" for slot in slots]),
            arrays.uuids([process_id for process_id, _ in limits]),
            arrays.texts([key for _, key in limits]),
            arrays.ints(list(limits.values())),
        )


SLOTS = KeptList("admissions", SlotMoves, SlotsProof)
