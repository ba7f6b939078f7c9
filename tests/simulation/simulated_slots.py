"""The list of concurrency slots in memory: lines of executions that wait, and those that run."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from domain.executions.events.execution import ExecutionAdmitted
from domain.executions.state.slot import Slot
from store.lists.queues import Admissible, Queue
from store.unit import StreamChange


class MemorySlots:
    """The part of the lists that admits executions.

    admissions: slot of each execution, as it waits or runs, in the order of arrival. versions: of streams.
    """

    def __init__(self) -> None:
        self.admissions: dict[UUID, Slot] = {}
        self.versions: Counter[UUID] = Counter()

    def move_slots(self, unit: StreamChange) -> list[str]:
        """Move the slot of an execution as an append of `unit` does; return the words that wake duties."""
        slot = unit.slot
        if slot is None:
            return []
        if slot.state == "left":
            self.admissions.pop(unit.stream, None)
        else:
            place = self.admissions.get(unit.stream, slot)
            self.admissions[unit.stream] = replace(place, state=slot.state)
        return [] if slot.state == "running" else ["room"]

    def lacks_slots(self, units: Sequence[StreamChange]) -> bool:
        """Return whether an execution would begin beyond the limit of its line, were all these changes appended."""
        after = dict(self.admissions)
        limits: dict[tuple[UUID, str], int] = {}
        for unit in units:
            slot = unit.slot
            if slot is not None and slot.state != "left":
                after[unit.stream] = slot
                for event in unit.events:
                    if isinstance(event, ExecutionAdmitted) and event.limit is not None and slot.state == "running":
                        line = slot.process_id, slot.key
                        limits[line] = min(event.limit, limits.get(line, event.limit))
            elif slot is not None:
                after.pop(unit.stream, None)
        running = Counter((slot.process_id, slot.key) for slot in after.values() if slot.state == "running")
        return any(running[line] > limit for line, limit in limits.items())

    def waiting_processes(self) -> list[tuple[UUID, int]]:
        found = {slot.process_id for slot in self.admissions.values() if slot.state == "queued"}
        return [(process, self.versions[process]) for process in sorted(found)]

    def queues(self, admissible: Sequence[Admissible], limit: int) -> list[Queue]:
        slots = self.admissions.values()
        running = Counter((slot.process_id, slot.key) for slot in slots if slot.state == "running")
        found: list[Queue] = []
        for each in sorted(admissible, key=lambda each: each.paused):
            lines: dict[str, list[tuple[datetime, UUID]]] = {}
            for execution, slot in self.admissions.items():
                if (slot.process_id, slot.state) == (each.process_id, "queued") and (slot.called or not each.paused):
                    assert slot.rank is not None
                    lines.setdefault(slot.key, []).append((slot.rank, execution))
            left = limit
            for key in sorted(lines, key=lambda key: running[each.process_id, key]):
                free = left if each.limit is None else min(left, each.limit - running[each.process_id, key])
                first = [id for _, id in sorted(lines[key], key=lambda ranked: ranked[0])[: max(0, free)]]
                left -= len(first)
                if first:
                    found.append(Queue(each.process_id, key, first, self.versions[each.process_id]))
        return found
