"""The state of one schedule: the fold of its events. It has no entry for a past instant, but for what runs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from domain.calendars.calendar import CalendarContent
from domain.event import Cause, Event, record
from domain.identity import schedule_id
from domain.schedules.events import (
    OccurrenceEvent,
    ScheduleCarried,
    ScheduleEvent,
    ScheduleFired,
    ScheduleNextRunChanged,
    ScheduleOccurrenceBackfilled,
    ScheduleOccurrenceHeld,
    SchedulePaused,
    ScheduleRegistered,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleRunEnded,
    ScheduleRunStarted,
)


class Registration(msgspec.Struct, frozen=True):
    """One rule, in force for the instants after `since` up to `until`; None: until further notice.

    key: the schedule's id, from which its jitter follows. removed: at its end no other rule took its place.
    """

    key: UUID
    version: int
    rule: dict[str, Any]
    calendars: dict[str, CalendarContent]
    anchor: datetime
    since: datetime
    until: datetime | None = None
    removed: bool = False


class Schedule(msgspec.Struct, frozen=True):
    """A schedule now.

    registrations: the rule in force is the last one; those before have instants still to be accounted for. cursor:
    every expected instant up to here has its outcome, or waits. running: executions that have not ended. waiting: the
    instant that waits until they have. failures: failed executions in a row. reason: of the pause or the removal.
    made_up: instants made up for in the catching-up under way. paused_after: the cursor when the last pause began.
    """

    process_id: UUID
    process: str
    trigger_id: str
    status: Literal["active", "paused", "removed"]
    registrations: tuple[Registration, ...]
    cursor: datetime
    anchor: datetime
    next_at: datetime | None = None
    running: tuple[UUID, ...] = ()
    waiting: datetime | None = None
    failures: int = 0
    reason: str = ""
    made_up: int = 0
    paused_after: datetime | None = None

    @property
    def in_force(self) -> Registration | None:
        """The rule in force; None after its removal."""
        last = self.registrations[-1] if self.registrations else None
        return last if last is not None and last.until is None else None

    @property
    def settled_to(self) -> datetime:
        """The instant before which no rule may change any more, also after a clock was set back."""
        return max([self.cursor, *(each.until or each.since for each in self.registrations)])

    @property
    def version(self) -> int:
        """The version of the process that the rule is of; 0 after its removal."""
        return 0 if self.in_force is None else self.in_force.version


def evolve(schedule: Schedule | None, event: Event) -> Schedule:
    """Return the state after `event`. Raises ValueError for an event that does not happen in this state."""
    if isinstance(event, ScheduleRegistered):
        return _registered(schedule, event)
    if isinstance(event, ScheduleCarried):
        return msgspec.convert(event.state, Schedule) if schedule is None else schedule
    if schedule is None or not isinstance(event, ScheduleEvent):
        raise ValueError(f"{type(event).__name__} does not happen to this schedule")
    changes: dict[str, Any] = {"next_at": event.next_at}
    match event:
        case OccurrenceEvent():
            changes |= _accounted(schedule, event)
        case ScheduleRemoved():
            changes |= {"status": "removed", "reason": event.reason, "registrations": _closed(schedule, event)}
        case SchedulePaused():
            changes |= {"status": "paused", "reason": event.reason, "paused_after": schedule.cursor}
        case ScheduleResumed():
            changes |= {"status": "active", "reason": "", "failures": 0}
        case ScheduleRunEnded():
            running = tuple(id for id in schedule.running if id != event.execution_id)
            changes |= {"running": running, "failures": event.failures}
        case ScheduleRunStarted() | ScheduleNextRunChanged():
            pass
        case _:
            raise ValueError(f"{type(event).__name__} does not happen to this schedule")
    return msgspec.structs.replace(schedule, **changes)


def fold(schedule: Schedule | None, events: Iterable[Event]) -> Schedule | None:
    """Return the state after more events; None for none."""
    for event in events:
        schedule = evolve(schedule, event)
    return schedule


def carry(schedule: Schedule, cause: Cause) -> Event:
    """Return the event that carries the state on."""
    state = msgspec.to_builtins(schedule)
    return record(ScheduleCarried, cause, next_at=schedule.next_at, state=state)


def _registered(schedule: Schedule | None, event: ScheduleRegistered) -> Schedule:
    key = schedule_id(event.process_id, event.trigger_id)
    new = Registration(key, event.version, event.rule, event.calendars, event.anchor, event.since)
    if schedule is None:
        return Schedule(
            event.process_id,
            event.process,
            event.trigger_id,
            "active",
            (new,),
            cursor=event.since,
            anchor=event.anchor,
            next_at=event.next_at,
        )
    before: tuple[Registration, ...] = ()
    if event.pending:
        *others, last = schedule.registrations
        until = event.since if last.until is None else last.until
        before = (*others, msgspec.structs.replace(last, until=until))
    again = schedule.status == "removed"
    return msgspec.structs.replace(
        schedule,
        process=event.process,
        status="active" if again else schedule.status,
        reason="" if again else schedule.reason,
        registrations=(*before, new),
        cursor=schedule.cursor if event.pending else max(schedule.cursor, event.since),
        anchor=event.anchor,
        next_at=event.next_at,
    )


def _closed(schedule: Schedule, event: ScheduleRemoved) -> tuple[Registration, ...]:
    if not event.pending:
        return ()
    *others, last = schedule.registrations
    closed = (*others, msgspec.structs.replace(last, until=event.until))
    return tuple(msgspec.structs.replace(each, removed=True) for each in closed)


def _accounted(schedule: Schedule, event: OccurrenceEvent) -> dict[str, Any]:
    at = event.scheduled_at
    changes: dict[str, Any] = {}
    if isinstance(event, ScheduleOccurrenceBackfilled):
        return changes
    if at > schedule.cursor:
        changes["cursor"] = at
        rest = tuple(each for each in schedule.registrations if each.until is None or each.until >= at)
        changes["registrations"] = rest
    if isinstance(event, ScheduleOccurrenceHeld):
        changes["waiting"] = at
    elif at == schedule.waiting:
        changes["waiting"] = None
    if isinstance(event, ScheduleFired):
        changes["running"] = (*schedule.running, event.execution_id)
        changes["made_up"] = event.made_up
    return changes
