"""What happened in the golden histories of schedules and calendars. Never change a told story."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.agents.calls import StepError
from domain.calendars.calendar import CalendarContent
from domain.calendars.events import CalendarDefined
from domain.event import Cause, Event, record
from domain.executions.decisions.execution import cancel_execution, start_execution
from domain.executions.decisions.step import complete_step, fail_step, start_step
from domain.executions.events.execution import Trigger
from domain.identity import ZONE_DATA, calendar_id, occurrence_id, process_id, schedule_id
from domain.processes.plan import Plan
from domain.schedules.events import (
    ScheduleFired,
    ScheduleNextRunChanged,
    ScheduleOccurrenceBackfilled,
    ScheduleOccurrenceCoalesced,
    ScheduleOccurrenceHeld,
    ScheduleOccurrenceMissed,
    ScheduleOccurrenceMoved,
    ScheduleOccurrenceSkipped,
    SchedulePaused,
    ScheduleRegistered,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleRunEnded,
    ScheduleRunStarted,
)
from domain.schedules.schedule import carry, fold
from domain.zone_data.events import ZoneDataAdopted

Plans = dict[tuple[UUID, int], Plan]
Told = tuple[UUID, list[Event]]

NAME = "golden-second-rules"
ID = schedule_id(process_id(NAME), "morning")
BEGIN = datetime(2026, 12, 1, 8, tzinfo=UTC)
RULE = {
    "type": "schedule",
    "id": "morning",
    "cron": "0 9 * * *",
    "timezone": "Europe/Berlin",
    "overlap": "buffer_one",
    "except": ["holidays"],
}


def _at(days: int) -> datetime:
    return BEGIN + timedelta(days=days)


def _cause(days: float) -> Cause:
    return Cause(BEGIN + timedelta(days=days), "worker:1", "request", "tie")


def calendar(_: Plans) -> Told:
    """Defined, and defined anew."""
    first = record(CalendarDefined, _cause(0), name="holidays", days=["2026-12-25"], description="bank holidays")
    days = ["2026-12-24..2026-12-26", "2027-01-01"]
    return calendar_id("holidays"), [first, record(CalendarDefined, _cause(1), name="holidays", days=days)]


def schedule(_: Plans) -> Told:
    """Everything that becomes of an instant, a pause, another version, the end."""

    def told(kind: type[Any], days: float, next_days: int | None, **facts: Any) -> Event:
        next_at = None if next_days is None else _at(next_days)
        event: Event = record(kind, _cause(days), next_at=next_at, **facts)
        return event

    def registered(version: int, days: float, next_days: int, *, pending: bool = False) -> Event:
        at = BEGIN + timedelta(days=days)
        calendars = {"holidays": CalendarContent(version, ["2026-12-24..2026-12-26"])}
        names = {"process_id": process_id(NAME), "process": NAME, "trigger_id": "morning", "version": version}
        times = {"anchor": _at(0), "since": at, "pending": pending}
        return told(ScheduleRegistered, days, next_days, rule=RULE, calendars=calendars, **names, **times)

    def of(days: int, version: int = 1) -> dict[str, Any]:
        return {"scheduled_at": _at(days), "version": version}

    run, late, back = (occurrence_id(ID, _at(days)) for days in (1, 2, 8))
    by_hand = UUID(int=60)
    return ID, [
        registered(1, 0.5, 1),
        told(ScheduleFired, 1, 2, execution_id=run, lateness=0.25, **of(1)),
        told(ScheduleOccurrenceHeld, 2, 3, cancelled=[run], **of(2)),
        told(ScheduleOccurrenceSkipped, 3, 4, reason="buffer_full", **of(3)),
        told(ScheduleRunEnded, 3.1, 2, execution_id=run, outcome="failed"),
        told(ScheduleFired, 3.1, 4, execution_id=late, lateness=95_040.0, made_up=1, **of(2)),
        told(ScheduleOccurrenceMissed, 6.1, 7, reason="catch_up_window", **of(4)),
        told(ScheduleOccurrenceCoalesced, 6.1, 7, reason="exception", into=_at(6), **of(5)),
        told(ScheduleOccurrenceMoved, 6.1, 7, to=_at(7), **of(6)),
        told(SchedulePaused, 6.5, 7, reason="holiday"),
        told(ScheduleOccurrenceSkipped, 7, 8, reason="paused", **of(7)),
        told(ScheduleOccurrenceSkipped, 8, 9, reason="paused", detail="it stands still", **of(8)),
        told(ScheduleResumed, 8.1, 9, reason="back"),
        told(ScheduleOccurrenceBackfilled, 8.1, 9, execution_id=back, **of(8)),
        told(ScheduleRunStarted, 8.2, 9, execution_id=by_hand, reason="to see it"),
        told(ScheduleNextRunChanged, 8.3, 10, before=_at(9), tzdata="2026.3"),
        registered(2, 9.5, 10, pending=True),
        told(ScheduleRemoved, 9.6, 9, reason="archived", until=BEGIN + timedelta(days=9.6), pending=True),
        told(ScheduleOccurrenceSkipped, 9.7, None, reason="removed", **of(9)),
    ]


def schedule_failing(_: Plans) -> Told:
    """It fails, and pauses itself."""
    id, run = schedule_id(process_id(NAME), "evening"), UUID(int=61)
    names = {"process_id": process_id(NAME), "process": NAME, "trigger_id": "evening", "version": 1}
    rule = {"type": "schedule", "id": "evening", "cron": "0 19 * * *", "pause_after": 1}
    begun = record(ScheduleRegistered, _cause(0), rule=rule, anchor=_at(0), since=_at(0), next_at=_at(1), **names)
    facts = {"scheduled_at": _at(1), "version": 1, "execution_id": run, "lateness": 0.5, "next_at": _at(2)}
    fired = record(ScheduleFired, _cause(1), **facts)
    ended = record(ScheduleRunEnded, _cause(2), execution_id=run, outcome="failed", failures=1, next_at=_at(2))
    paused = record(SchedulePaused, _cause(2), reason="1 failures in a row", next_at=_at(2))
    return id, [begun, fired, ended, paused]


def schedule_carried(_: Plans) -> Told:
    """It carries its state, and goes on."""
    id, run = schedule_id(process_id(NAME), "noon"), UUID(int=62)
    names = {"process_id": process_id(NAME), "process": NAME, "trigger_id": "noon", "version": 1}
    rule = {"type": "schedule", "id": "noon", "cron": "0 12 * * *"}
    begun = record(ScheduleRegistered, _cause(0), rule=rule, anchor=_at(0), since=_at(0), next_at=_at(1), **names)
    facts = {"scheduled_at": _at(1), "version": 1, "execution_id": run, "lateness": 0.5, "next_at": _at(2)}
    fired = record(ScheduleFired, _cause(1), **facts)
    state = fold(None, [begun, fired])
    assert state is not None
    ended = record(ScheduleRunEnded, _cause(2), execution_id=run, outcome="completed", next_at=_at(2))
    return id, [begun, fired, carry(state, _cause(1)), ended]


def execution_scheduled(plans: Plans) -> Told:
    """A schedule starts it, and waits for its end."""
    id = occurrence_id(ID, _at(1))
    return id, _run(plans, id, "completed")


def execution_scheduled_and_failed(plans: Plans) -> Told:
    """A schedule starts it, and it fails."""
    return occurrence_id(ID, _at(2)), _run(plans, occurrence_id(ID, _at(2)), "failed")


def execution_scheduled_and_cancelled(plans: Plans) -> Told:
    """A schedule starts it, and cancels it."""
    return occurrence_id(ID, _at(3)), _run(plans, occurrence_id(ID, _at(3)), "cancelled")


def _run(plans: Plans, id: UUID, outcome: str) -> list[Event]:
    trigger = Trigger("schedule", "morning", scheduled_at=_at(1), schedule_id=ID)
    begun = start_execution(id, plans[process_id("golden"), 1], {"topic": "tea", "deep": True}, trigger, _cause(1))
    if outcome == "cancelled":
        return [*begun.events, *cancel_execution(begun.execution, "the next takes its place", _cause(2)).events]
    events, execution = [*begun.events], begun.execution
    for step in ("gather", "check", "aside", "write"):
        started = start_step(execution, step, 1, _cause(1.1))
        if outcome == "failed":
            error = StepError("unreachable", "no route to host", permanent=True)
            return [*events, *started.events, *fail_step(started.execution, step, 1, error, _cause(1.2)).events]
        done = complete_step(started.execution, step, 1, {"found": step}, cause=_cause(1.2))
        events += [*started.events, *done.events]
        execution = done.execution
    return events


def zone_data(_: Plans) -> Told:
    """Two editions, the second of which moves some next runs."""
    facts: dict[str, Any] = {"before": "2026.2", "schedules": 40, "changed": 3}
    return ZONE_DATA, [
        record(ZoneDataAdopted, _cause(0), tzdata="2026.2", schedules=40),
        record(ZoneDataAdopted, _cause(1), tzdata="2026.3", **facts),
    ]


STORIES: dict[str, Callable[[Plans], Told]] = {
    "zone-data": zone_data,
    "calendar": calendar,
    "schedule": schedule,
    "schedule-failing": schedule_failing,
    "schedule-carried": schedule_carried,
    "execution-scheduled": execution_scheduled,
    "execution-scheduled-and-failed": execution_scheduled_and_failed,
    "execution-scheduled-and-cancelled": execution_scheduled_and_cancelled,
}
