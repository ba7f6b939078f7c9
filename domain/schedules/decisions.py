"""Decisions that people and publications take about a schedule: pure functions from state and cause to events."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any
from uuid import UUID

from domain.calendars.calendar import CalendarContent
from domain.event import Cause, Event
from domain.identity import occurrence_id, schedule_id
from domain.refusal import Forbidden
from domain.schedules.deciding import Deciding
from domain.schedules.due import MOST_STARTED, drop_waiting
from domain.schedules.due import pause as pause_now
from domain.schedules.events import (
    ScheduleNextRunChanged,
    ScheduleOccurrenceBackfilled,
    ScheduleOccurrenceSkipped,
    SchedulePaused,
    ScheduleRegistered,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleRunStarted,
)
from domain.schedules.ledger import Occurrence
from domain.schedules.schedule import Schedule
from domain.schedules.terms import TermsOf, expected, next_due

MOST_RESUMED_FACTS = 1_000
MOST_BACKFILLED = 1_000


def register_schedule(
    schedule: Schedule | None,
    process_id: UUID,
    process: str,
    version: int,
    rule: Mapping[str, Any],
    calendars: Mapping[str, CalendarContent],
    cause: Cause,
    terms_of: TermsOf,
    *,
    paused: str = "",
) -> list[Event]:
    """Put the rule of a version in force for the future, in place of the one before.

    Returns no events when the same rule of the same version is in force. `every` counts from the first registration as
    long as it is the same. paused: register it paused, for this reason. A rule that is refused is paused too.
    """
    current = None if schedule is None else schedule.in_force
    if current is not None and (current.version, current.rule, current.calendars) == (version, rule, calendars):
        return []
    since, anchor, pending = cause.at, cause.at, False
    if schedule is not None:
        since = max(since, schedule.settled_to)
        pending = _pending(schedule, since, terms_of)
        if current is None or current.rule.get("every") == rule.get("every"):
            anchor = schedule.anchor
    deciding = Deciding(schedule, cause, terms_of)
    deciding.record(
        ScheduleRegistered,
        process_id=process_id,
        process=process,
        trigger_id=rule["id"],
        version=version,
        rule=dict(rule),
        calendars=dict(calendars),
        anchor=anchor,
        since=since,
        pending=pending,
    )
    registration = deciding.schedule.in_force
    refusal = "" if registration is None else terms_of(registration).refusal
    if (refusal or paused) and deciding.schedule.status == "active":
        deciding.record(SchedulePaused, reason=refusal or paused)
    return deciding.events()


def remove_schedule(schedule: Schedule, reason: str, cause: Cause, terms_of: TermsOf) -> list[Event]:
    """Take the rule out of force; returns no events when none is in force. Instants before get their outcome later."""
    if schedule.status == "removed":
        return []
    deciding = Deciding(schedule, cause, terms_of)
    drop_waiting(deciding, "removed")
    until = max(cause.at, schedule.settled_to)
    deciding.record(ScheduleRemoved, reason=reason, until=until, pending=_pending(schedule, until, terms_of))
    return deciding.events()


def pause_schedule(schedule: Schedule, reason: str, cause: Cause, terms_of: TermsOf) -> list[Event]:
    """Pause the schedule; returns no events when it is paused. Raises Forbidden ``schedule_removed``."""
    _refuse_removed(schedule)
    if schedule.status == "paused":
        return []
    deciding = Deciding(schedule, cause, terms_of)
    pause_now(deciding, reason)
    return deciding.events()


def resume_schedule(
    schedule: Schedule, paused: Sequence[Occurrence], reason: str, now: datetime, cause: Cause, terms_of: TermsOf
) -> list[Event]:
    """Resume the schedule, and catch up once on what the pause skipped, by the rule in force.

    paused: the instants that this pause has skipped, in order. Where executions may not overlap, only the newest
    starts, and only if nothing runs. Returns no events when it is not paused. Raises Forbidden ``schedule_removed``.
    """
    _refuse_removed(schedule)
    if schedule.status != "paused" or schedule.in_force is None:
        return []
    if refusal := terms_of(schedule.in_force).refusal:
        raise Forbidden(f"the rule is refused: {refusal}", code="rule_refused")
    deciding = Deciding(schedule, cause, terms_of)
    skipped = [(each.scheduled_at, each.version) for each in paused]
    due = takewhile(lambda each: each.due_at <= now, expected(schedule, terms_of))
    for each, _ in zip(due, range(MOST_RESUMED_FACTS), strict=False):
        if not each.runs:
            break  # a worker accounts for it, and for those after it
        facts = {"scheduled_at": each.instant.at, "version": each.registration.version}
        deciding.record(ScheduleOccurrenceSkipped, reason="paused", **facts)
        skipped.append((each.instant.at, each.registration.version))
    deciding.record(ScheduleResumed, reason=reason)
    terms = terms_of(schedule.in_force)
    recent = [each for each in skipped if now - each[0] <= terms.catch_up_window]
    if terms.catch_up == "none":
        recent = []
    elif terms.overlap != "allow":
        recent = [] if schedule.running else recent[-1:]
    elif terms.catch_up == "latest":
        recent = recent[-1:]
    elif len(recent) > MOST_STARTED:
        recent = [*recent[: MOST_STARTED - 1], recent[-1]]
    _backfill(deciding, recent)
    return deciding.events()


def run_now(schedule: Schedule, execution_id: UUID, reason: str, cause: Cause, terms_of: TermsOf) -> list[Event]:
    """Note an execution that a person starts; the cadence stays. Raises Forbidden ``schedule_removed``."""
    _refuse_removed(schedule)
    deciding = Deciding(schedule, cause, terms_of)
    deciding.record(ScheduleRunStarted, execution_id=execution_id, reason=reason)
    return deciding.events()


def backfill_schedule(
    schedule: Schedule, occurrences: Sequence[Occurrence], cause: Cause, terms_of: TermsOf
) -> list[Event]:
    """Start an execution for each of these instants that started none. Raises Forbidden ``schedule_removed``."""
    _refuse_removed(schedule)
    deciding = Deciding(schedule, cause, terms_of)
    _backfill(deciding, [(each.scheduled_at, each.version) for each in occurrences if may_backfill(each)])
    return deciding.events()


def change_next_run(schedule: Schedule, tzdata: str, cause: Cause, terms_of: TermsOf) -> list[Event]:
    """Note that the edition `tzdata` of the zone data moves the next run; returns no events when it stays."""
    if next_due(schedule, terms_of) == schedule.next_at:
        return []
    deciding = Deciding(schedule, cause, terms_of)
    deciding.record(ScheduleNextRunChanged, before=schedule.next_at, tzdata=tzdata)
    return deciding.events()


def may_backfill(occurrence: Occurrence) -> bool:
    """Return whether a backfill starts the instant: it started none, and no exception of its rule is the reason."""
    return occurrence.outcome in ("skipped", "missed", "coalesced") and occurrence.reason != "exception"


def _backfill(deciding: Deciding, instants: Sequence[tuple[datetime, int]]) -> None:
    id = schedule_id(deciding.schedule.process_id, deciding.schedule.trigger_id)
    for at, version in instants:
        execution = occurrence_id(id, at)
        deciding.record(ScheduleOccurrenceBackfilled, scheduled_at=at, version=version, execution_id=execution)


def _pending(schedule: Schedule, until: datetime, terms_of: TermsOf) -> bool:
    first = next(expected(schedule, terms_of), None)
    return first is not None and first.instant.at <= until


def _refuse_removed(schedule: Schedule) -> None:
    if schedule.status == "removed":
        raise Forbidden(f"no version in use has this schedule any more: {schedule.reason}", code="schedule_removed")
