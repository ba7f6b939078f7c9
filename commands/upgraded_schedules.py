"""Bring the schedules of all processes in line with the versions in use: once after an upgrade, and after accidents."""

from uuid import UUID

import msgspec

from commands.deciding import persist
from commands.publishers import publishers
from commands.receipt import Receipt
from commands.registrations import register_schedules
from domain.event import Cause
from domain.processes.process import fold
from domain.schedules.events import SchedulePaused, ScheduleRegistered, ScheduleRemoved
from store.log import Log
from store.unit import StreamChange, Unit

HELD = "held since the upgrade; resume it when it may start executions"
ORPHANED = "its process is archived, or has no such trigger any more"


class UpgradedSchedules(msgspec.Struct):
    """Numbers of schedules: registered, of these paused, and removed because nothing in use has them."""

    registered: int = 0
    paused: int = 0
    removed: int = 0


def register_upgraded(log: Log, cause: Cause, *, hold: bool = False) -> UpgradedSchedules:
    """Register what versions in use say and no schedule follows yet, for the future only; remove orphans.

    hold: register them paused. A rule that this release refuses is registered paused, with the refusal. Repeated, it
    records nothing; several processes may do it at once. Raises Unavailable.
    """
    found = UpgradedSchedules()
    for process in publishers(log, "schedule"):
        for change in _register(log, process, cause, HELD if hold else ""):
            for event in change.events:
                found.registered += isinstance(event, ScheduleRegistered)
                found.paused += isinstance(event, SchedulePaused)
                found.removed += isinstance(event, ScheduleRemoved)
    return found


def _register(log: Log, id: UUID, cause: Cause, paused: str) -> tuple[StreamChange, ...]:
    changes: tuple[StreamChange, ...] = ()

    def attempt() -> Receipt:
        nonlocal changes
        events = log.stream(id)
        together = register_schedules(log, fold(events), cause, reason=ORPHANED, paused=paused)
        changes = together.before
        if not changes:
            return Receipt(id, 0, duplicate=True)
        *before, last = changes
        guards = (*together.guards, (id, len(events)))
        return Receipt(
            id, log.append(Unit(last.stream, last.version, last.events, guards=guards, before=tuple(before)))
        )

    persist(log, attempt, id)
    return changes
