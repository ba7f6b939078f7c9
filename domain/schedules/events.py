"""Events of a schedule; each class is stored under its own name for ever."""

from datetime import datetime
from typing import Any
from uuid import UUID

from domain.calendars.calendar import CalendarContent
from domain.event import Event, stored


class ScheduleEvent(Event, frozen=True, kw_only=True):
    """The field common to every event of a schedule.

    next_at: when the schedule is due next, with its jitter; None when nothing is expected any more.
    """

    next_at: datetime | None = None


class OccurrenceEvent(ScheduleEvent, frozen=True, kw_only=True):
    """The fields common to everything that becomes of an expected instant.

    scheduled_at: the instant by the rule, without jitter. version: the version of the process whose rule expects it.
    """

    scheduled_at: datetime
    version: int


@stored("ScheduleRegistered")
class ScheduleRegistered(ScheduleEvent, frozen=True, kw_only=True):
    """A version's trigger is in force for the instants after `since`, in place of the rule before.

    rule: the trigger as the version states it. calendars: by name, the days of the calendars that it uses, as of now.
    anchor: the instant from which `every` counts. pending: instants of the rule before are still to be accounted for.
    """

    process_id: UUID
    process: str
    trigger_id: str
    version: int
    rule: dict[str, Any]
    anchor: datetime
    since: datetime
    calendars: dict[str, CalendarContent] = {}
    pending: bool = False


@stored("ScheduleRemoved")
class ScheduleRemoved(ScheduleEvent, frozen=True, kw_only=True):
    """No rule is in force after `until`. pending: instants before are still to be accounted for."""

    reason: str
    until: datetime
    pending: bool = False


@stored("SchedulePaused")
class SchedulePaused(ScheduleEvent, frozen=True, kw_only=True):
    """The schedule starts nothing until it is resumed."""

    reason: str


@stored("ScheduleResumed")
class ScheduleResumed(ScheduleEvent, frozen=True, kw_only=True):
    """The schedule starts executions again."""

    reason: str


@stored("ScheduleFired")
class ScheduleFired(OccurrenceEvent, frozen=True, kw_only=True):
    """The schedule started an execution for an instant.

    lateness: seconds after it was due. made_up: how many instants before the newest were made up for, with this one.
    """

    execution_id: UUID
    lateness: float
    made_up: int = 0


@stored("ScheduleOccurrenceSkipped")
class ScheduleOccurrenceSkipped(OccurrenceEvent, frozen=True, kw_only=True):
    """The rules say not to start; reason: ``exception``, ``paused``, ``overlap``, ``buffer_full``, ``removed``...

    detail: the refusal of a start, in words.
    """

    reason: str
    detail: str = ""


@stored("ScheduleOccurrenceMissed")
class ScheduleOccurrenceMissed(OccurrenceEvent, frozen=True, kw_only=True):
    """Nothing could start in time; reason: ``overdue`` or ``catch_up_window``."""

    reason: str


@stored("ScheduleOccurrenceCoalesced")
class ScheduleOccurrenceCoalesced(OccurrenceEvent, frozen=True, kw_only=True):
    """A newer instant stands for this one; reason: ``catch_up``, ``exception`` or ``overlap``.

    into: the other instant, if it is known.
    """

    reason: str
    into: datetime | None = None


@stored("ScheduleOccurrenceMoved")
class ScheduleOccurrenceMoved(OccurrenceEvent, frozen=True, kw_only=True):
    """An exception moves the run to another day; `to` is an expected instant of its own."""

    to: datetime


@stored("ScheduleOccurrenceBackfilled")
class ScheduleOccurrenceBackfilled(OccurrenceEvent, frozen=True, kw_only=True):
    """A backfill, or the end of a pause, started an execution for an instant that had started none."""

    execution_id: UUID


@stored("ScheduleOccurrenceHeld")
class ScheduleOccurrenceHeld(OccurrenceEvent, frozen=True, kw_only=True):
    """The instant waits until the running executions have ended.

    cancelled: the running executions that the schedule cancels for it.
    """

    cancelled: list[UUID] = []


@stored("ScheduleRunStarted")
class ScheduleRunStarted(ScheduleEvent, frozen=True, kw_only=True):
    """A person started an execution by hand; no instant stands for it."""

    execution_id: UUID
    reason: str = ""


@stored("ScheduleRunEnded")
class ScheduleRunEnded(ScheduleEvent, frozen=True, kw_only=True):
    """An execution that the schedule started has ended; outcome: its status. failures: so many failed in a row now."""

    execution_id: UUID
    outcome: str
    failures: int = 0


@stored("ScheduleNextRunChanged")
class ScheduleNextRunChanged(ScheduleEvent, frozen=True, kw_only=True):
    """Another edition of the zone data moves the next run; tzdata: its version."""

    before: datetime | None
    tzdata: str
