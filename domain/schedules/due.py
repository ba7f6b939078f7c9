"""Decisions that workers take: what becomes of the instants that are due, and of an execution that has ended."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice, takewhile
from uuid import UUID

from domain.event import Cause, Event
from domain.identity import occurrence_id, schedule_id
from domain.schedules.deciding import Deciding
from domain.schedules.events import (
    ScheduleFired,
    ScheduleOccurrenceCoalesced,
    ScheduleOccurrenceHeld,
    ScheduleOccurrenceMissed,
    ScheduleOccurrenceMoved,
    ScheduleOccurrenceSkipped,
    SchedulePaused,
    ScheduleRunEnded,
)
from domain.schedules.schedule import Schedule
from domain.schedules.terms import Expected, TermsOf, expected

MOST_FACTS = 200
"""One decision accounts for so many instants; the next decision continues."""
MOST_STARTED = 100
"""So many executions start at once when a schedule catches up, the newest included."""
OVERDUE = timedelta(seconds=60)
PROCESS_PAUSED = "process_paused"

Pauses = Sequence[tuple[datetime, datetime | None]]
"""The pauses of the process: from when, until when; None: it lasts."""


class Hindrance(Exception):
    """Why no execution can start at present. reason: stable; detail: in words."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def account_for_due(
    schedule: Schedule,
    now: datetime,
    cause: Cause,
    terms_of: TermsOf,
    hindrance: Hindrance | None = None,
    pauses: Pauses = (),
) -> list[Event]:
    """Return one outcome for every expected instant that is due at `now`, at most MOST_FACTS.

    Of those due together the newest starts; `catch_up` says what becomes of the others. hindrance: why none can start.
    pauses: of the process; instants that are due in one of them are skipped.
    """
    accounting = _Accounting(schedule, now, cause, terms_of, hindrance, pauses)
    accounting.release_waiting()
    due = takewhile(lambda each: each.due_at <= now, expected(schedule, terms_of))
    batch = list(islice(due, MOST_FACTS))
    newest = _newest(batch, due, accounting.may_run)
    for each in batch:
        accounting.account_for(each, newest=each is newest)
    return accounting.events()


def _newest(batch: list[Expected], rest: Iterator[Expected], may_run: Callable[[Expected], bool]) -> Expected | None:
    if any(map(may_run, rest)):
        return None
    return next((each for each in reversed(batch) if may_run(each)), None)


def end_run(schedule: Schedule, execution_id: UUID, outcome: str, cause: Cause, terms_of: TermsOf) -> list[Event]:
    """Note the end of an execution that the schedule started; after `pause_after` failures in a row, pause.

    Returns no events for an execution that is not running by the state, as after a repetition.
    """
    if execution_id not in schedule.running:
        return []
    deciding = Deciding(schedule, cause, terms_of)
    failures = {"completed": 0, "failed": schedule.failures + 1}.get(outcome, schedule.failures)
    deciding.record(ScheduleRunEnded, execution_id=execution_id, outcome=outcome, failures=failures)
    after = deciding.schedule
    limit = None if after.in_force is None else terms_of(after.in_force).pause_after
    if limit is not None and after.status == "active" and outcome == "failed" and after.failures >= limit:
        pause(deciding, f"{after.failures} failures in a row")
    return deciding.events()


def pause(deciding: Deciding, reason: str) -> None:
    """Pause the schedule; the instant that waits is skipped."""
    drop_waiting(deciding, "paused")
    deciding.record(SchedulePaused, reason=reason)


def drop_waiting(deciding: Deciding, reason: str) -> None:
    """Skip the instant that waits, if there is one."""
    schedule = deciding.schedule
    if schedule.waiting is not None:
        facts = {"scheduled_at": schedule.waiting, "version": schedule.version}
        deciding.record(ScheduleOccurrenceSkipped, reason=reason, **facts)


class _Accounting(Deciding):
    """The decision on the instants that are due."""

    def __init__(
        self,
        schedule: Schedule,
        now: datetime,
        cause: Cause,
        terms_of: TermsOf,
        hindrance: Hindrance | None,
        pauses: Pauses,
    ) -> None:
        super().__init__(schedule, cause, terms_of)
        self._now = now
        self._hindrance = hindrance
        self._pauses = pauses
        self._id = schedule_id(schedule.process_id, schedule.trigger_id)
        self._made_up = schedule.made_up

    def may_run(self, each: Expected) -> bool:
        """Return whether the rule requires an execution for the instant, and its process is not paused."""
        return each.runs and not self._process_paused(each)

    def release_waiting(self) -> None:
        """Start the instant that waits, when nothing runs any more."""
        schedule = self.schedule
        if schedule.waiting is not None and not schedule.running and schedule.status == "active":
            self._start(schedule.waiting, schedule.waiting, schedule.version)

    def account_for(self, each: Expected, *, newest: bool) -> None:
        """Add the outcome of one instant."""
        at, instant, terms = each.instant.at, each.instant, each.terms
        facts = {"scheduled_at": at, "version": each.registration.version}
        late = self._now - each.due_at
        if instant.fate == "moved":
            self.record(ScheduleOccurrenceMoved, to=instant.to, **facts)
        elif instant.fate == "coalesced":
            self.record(ScheduleOccurrenceCoalesced, reason="exception", into=instant.to, **facts)
        elif instant.fate == "skipped":
            self.record(ScheduleOccurrenceSkipped, reason="exception", **facts)
        elif each.registration.removed:
            self.record(ScheduleOccurrenceSkipped, reason="removed", **facts)
        elif self.schedule.status == "paused":
            self.record(ScheduleOccurrenceSkipped, reason="paused", **facts)
        elif self._process_paused(each):
            self.record(ScheduleOccurrenceSkipped, reason=PROCESS_PAUSED, **facts)
        elif late > terms.catch_up_window:
            self.record(ScheduleOccurrenceMissed, reason="catch_up_window", **facts)
        elif terms.catch_up == "none" and (late > OVERDUE or not newest):
            self.record(ScheduleOccurrenceMissed, reason="overdue", **facts)
        elif newest:
            self._made_up = 0
            self._start_unless_running(each)
        elif terms.catch_up == "all" and self._made_up < MOST_STARTED - 1:
            self._made_up += 1
            self._start_unless_running(each)
        else:
            self.record(ScheduleOccurrenceCoalesced, reason="catch_up", **facts)

    def _process_paused(self, each: Expected) -> bool:
        at = each.due_at
        return any(since <= at and (until is None or at < until) for since, until in self._pauses)

    def _start_unless_running(self, each: Expected) -> None:
        at, overlap, schedule = each.instant.at, each.terms.overlap, self.schedule
        facts = {"scheduled_at": at, "version": each.registration.version}
        if overlap == "allow" or not (schedule.running or schedule.waiting):
            self._start(at, each.due_at, each.registration.version)
        elif overlap == "skip":
            self.record(ScheduleOccurrenceSkipped, reason="overlap", **facts)
        elif overlap == "buffer_one" and schedule.waiting is not None:
            self.record(ScheduleOccurrenceSkipped, reason="buffer_full", **facts)
        elif overlap == "buffer_one":
            self.record(ScheduleOccurrenceHeld, **facts)
        else:
            if schedule.waiting is not None:
                waited = {"scheduled_at": schedule.waiting, "version": each.registration.version}
                self.record(ScheduleOccurrenceCoalesced, reason="overlap", into=at, **waited)
            # Where the rule let very many run before, the next instants cancel the others.
            self.record(ScheduleOccurrenceHeld, cancelled=list(schedule.running[:MOST_FACTS]), **facts)

    def _start(self, at: datetime, due_at: datetime, version: int) -> None:
        facts = {"scheduled_at": at, "version": version}
        if self._hindrance is not None:
            reason, detail = self._hindrance.reason, self._hindrance.detail
            self.record(ScheduleOccurrenceSkipped, reason=reason, detail=detail, **facts)
            return
        id = occurrence_id(self._id, at)
        lateness = max(0.0, (self._now - due_at).total_seconds())
        self.record(ScheduleFired, execution_id=id, lateness=lateness, made_up=self._made_up, **facts)
