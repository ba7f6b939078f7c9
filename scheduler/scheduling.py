"""The duty of schedules: each instant that is due gets its outcome, and starts its execution in the same append."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from commands.executions import unit_of
from commands.scheduled_runs import ScheduledRuns, scheduled_runs
from commands.states import Versioned
from domain.event import Cause, Event
from domain.executions.decisions.execution import cancel_execution
from domain.executions.events.outcomes import CANCELLED, COMPLETED, FAILED
from domain.refusal import Refusal
from domain.schedules.due import PROCESS_PAUSED, Hindrance, account_for_due, end_run
from domain.schedules.events import ScheduleFired, ScheduleOccurrenceHeld, ScheduleOccurrenceSkipped
from domain.schedules.rules import terms_of
from domain.schedules.schedule import Schedule, carry, fold
from scheduler.duty import Desk, Duty
from scheduler.timekeeper import Timekeeper
from store.lists.due_schedules import ClaimedSchedules
from store.mapper import UnknownEvent
from store.unit import Conflict, Outage, OutcomeUnknown, StoreError, StreamChange, Unit

logger = logging.getLogger(__name__)

MOST_CLAIM = 200
MOST_STARTS = 50
"""A turn of the duty starts about so many executions; then the other duties have their turn."""
ROUNDS = 20
# After so many events the state is stated once more, so that a long stream is quick to read.
CARRIED_EVERY = 500
# Of so many running executions, the oldest ones, a worker checks whether the message of an end was lost.
MOST_CHECKED = 100
# A schedule about which no decision succeeds waits so long before a worker tries again.
TRY_AGAIN = timedelta(minutes=1)
NOTHING_DUE = timedelta(seconds=5)
ENDED = frozenset((COMPLETED, FAILED, CANCELLED))
OVERLAPS = frozenset(("overlap", "buffer_full"))


class Accounted(msgspec.Struct):
    """The decision on one schedule: the unit to record, the state that follows, how many executions it starts."""

    unit: Unit
    id: UUID
    after: Versioned[Schedule | None]
    starts: int
    cancelled: Sequence[UUID] = ()


class Scheduling(Duty):
    """Accounts for schedules that are due by the database's clock; an alarm wakes it for the next one."""

    word = "schedule:"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._timekeeper = Timekeeper("schedule", desk.alarms, self.rouse)
        self._held = ClaimedSchedules(desk.clock.now(), [])
        self._ahead = timedelta()
        """How far the clock of the database is ahead of this one."""

    @property
    def ready(self) -> bool:
        """Whether schedules may be due, or this worker has claimed some."""
        return self._awake or bool(self._held.schedules)

    def wake(self, detail: str = "") -> None:
        """Expect a schedule that is due at `detail`, in seconds since 1970; without a detail, any may be due."""
        if detail:
            self._timekeeper.expect(datetime.fromtimestamp(float(detail), UTC) - self._ahead)
        else:
            super().wake()

    def work(self) -> None:
        """Account for some schedules that no other worker has claimed; after the last, set the alarm for the next."""
        self._awake = False
        if not self._held.schedules:
            self._held = self.desk.lists.claim_schedules(MOST_CLAIM) or self._held
        if self._held.schedules:
            rest = self._account_for(self._held.schedules, self._held.now)
            self._held = ClaimedSchedules(self._held.now, rest)
        if not self._held.schedules:
            self._await_next()

    def release(self) -> None:
        """Let other workers account for the claimed schedules."""
        if self._held.schedules:
            self.desk.lists.release_schedules(self._held.schedules)
            self._held = ClaimedSchedules(self._held.now, [])

    def _await_next(self) -> None:
        now, next_at = self.desk.lists.next_schedule()
        self._ahead = now - self.desk.clock.now()
        if next_at is not None and next_at <= now:
            self._awake = True
        elif next_at is not None:
            self._timekeeper.expect(next_at - self._ahead)

    def _account_for(self, ids: list[UUID], now: datetime) -> list[UUID]:
        """Account for schedules, at most so many that about MOST_STARTS executions start; return the others.

        Put off those that meet a conflict every time, as one does whose stream has a hole.
        """
        rest: list[UUID] = []
        met: dict[UUID, StoreError] = {}
        for tried in range(ROUNDS):
            accounted, more, again = self._decide(ids, now, fresh=tried > 0)
            rest += more
            for each in accounted:
                each.unit.epoch = self.desk.schedules.epoch
            outcomes = self.desk.appending.units([each.unit for each in accounted])
            for each, outcome in zip(accounted, outcomes, strict=True):
                if (error := self._settle(each, outcome)) is not None:
                    met[each.id] = error
                    again.append(each.id)
            ids = again
            if not ids:
                return rest
        for id in ids:
            if id in met:
                self._put_off(id, met[id])
        return [*rest, *(id for id in ids if id not in met)]

    def _decide(self, ids: list[UUID], now: datetime, *, fresh: bool) -> tuple[list[Accounted], list[UUID], list[UUID]]:
        """Return decisions, the schedules for which there was no room, and those to decide on from the log."""
        loaded = self.desk.schedules.load(ids, fresh=fresh)
        accounted: list[Accounted] = []
        again: list[UUID] = []
        starts = 0
        for n, id in enumerate(ids):
            if starts >= MOST_STARTS:
                return accounted, ids[n:], again
            before = loaded.get(id)
            try:
                if id in self.desk.schedules.unreadable:
                    raise self.desk.schedules.unreadable[id]
                decided = None if before is None else self._account(id, before, now)
            except Outage:
                raise
            except Exception as error:  # noqa: BLE001 - logged there
                self._put_off(id, error)
                continue
            if decided is not None:
                accounted.append(decided)
                starts += decided.starts
            elif fresh or id in self.desk.schedules.left_alone:
                self.desk.lists.postpone_schedule(id, NOTHING_DUE)
            else:
                again.append(id)
        return accounted, [], again

    def _account(self, id: UUID, before: Versioned[Schedule | None], now: datetime) -> Accounted | None:
        schedule = before.state
        if schedule is None:
            return None
        cause = Cause(now, self.desk.actor, f"schedule:{id}")
        runs, hindrance = self._runs(schedule)
        pauses = [(pause.since, pause.until) for pause in runs.pauses] if runs is not None else []
        events = account_for_due(schedule, now, cause, terms_of, hindrance, pauses)
        carries = _carries(before.version, len(events))
        ended = self._ended(schedule, cause) if carries or any(map(_hindered, events)) else []
        if ended:
            current = fold(schedule, ended) or schedule
            events = [*ended, *account_for_due(current, now, cause, terms_of, hindrance, pauses)]
        if not events:
            return None
        after = fold(schedule, events)
        if after is not None and _carries(before.version, len(events)):
            events = [*events, carry(after, cause)]
        changes = [StreamChange(id, before.version, events)]
        starts = [event for event in events if isinstance(event, ScheduleFired)]
        guards = () if runs is None or not starts else runs.guards
        for event in starts:
            assert runs is not None
            changes.append(runs.start(event.execution_id, event.scheduled_at, now))
        cancelled = {run for event in events if isinstance(event, ScheduleOccurrenceHeld) for run in event.cancelled}
        changes += self._cancel(cancelled, id, now)
        state = Versioned(before.version + len(events), after)
        return Accounted(_together(changes, guards), id, state, len(starts), list(cancelled))

    def _runs(self, schedule: Schedule) -> tuple[ScheduledRuns | None, Hindrance | None]:
        try:
            runs = scheduled_runs(self.desk.plans, schedule)
        except Hindrance as hindrance:
            return None, hindrance
        if runs.pause is not None:
            return runs, Hindrance(PROCESS_PAUSED, runs.pause.reason)
        return runs, None

    def _ended(self, schedule: Schedule, cause: Cause) -> list[Event]:
        """Return the ends of executions that run by the state and have ended: the message of an end may be lost."""
        ended: list[Event] = []
        running = self.desk.states.load(schedule.running[:MOST_CHECKED])
        for id, execution in running.items():
            if execution.status in ENDED:
                current = fold(schedule, ended)
                assert current is not None
                ended += end_run(current, id, execution.status, cause, terms_of)
        return ended

    def _cancel(self, executions: set[UUID], schedule: UUID, now: datetime) -> list[StreamChange]:
        changes: list[StreamChange] = []
        if executions:
            cause = Cause(now, f"schedule:{schedule}", f"schedule:{schedule}")
            for execution in self.desk.states.load(executions, fresh=True).values():
                try:
                    unfolding = cancel_execution(execution, "the next run of the schedule takes its place", cause)
                except Refusal:
                    continue  # it ends by itself
                if unfolding.events:
                    changes.append(unit_of(execution, unfolding))
        return changes

    def _settle(self, accounted: Accounted, outcome: int | StoreError) -> StoreError | None:
        """Keep the state that was recorded; return the error after which to decide again on the state in the log."""
        for execution in accounted.cancelled:
            self.desk.states.forget(execution)
        if not isinstance(outcome, StoreError):
            if not self.desk.schedules.holds(accounted.unit.epoch):
                self.desk.schedules.forget(accounted.id)
                return None
            self.desk.schedules.keep_grown(accounted.id, accounted.after, accounted.unit.size)
            return None
        self.desk.schedules.forget(accounted.id)
        self.desk.plans.forget(stream for stream, _ in accounted.unit.guards)
        if isinstance(outcome, Conflict | OutcomeUnknown):
            return outcome
        self._put_off(accounted.id, outcome)
        return None

    def _put_off(self, id: UUID, error: Exception) -> None:
        """Leave the schedule alone for a while, so that it does not stop the others."""
        if isinstance(error, UnknownEvent):
            self.desk.schedules.left_alone.add(id, "schedule", error)
        else:
            logger.error("no decision about schedule %s succeeds, it is tried again later", id, exc_info=error)
        self.desk.schedules.forget(id)
        self.desk.lists.postpone_schedule(id, TRY_AGAIN)


def _carries(version: int, more: int) -> bool:
    """Return whether so many more events reach the next one that carries the state."""
    return version // CARRIED_EVERY != (version + more) // CARRIED_EVERY


def _hindered(event: Event) -> bool:
    """Return whether what runs keeps an instant from its start."""
    held = isinstance(event, ScheduleOccurrenceHeld)
    return held or (isinstance(event, ScheduleOccurrenceSkipped) and event.reason in OVERLAPS)


def _together(changes: list[StreamChange], guards: tuple[tuple[UUID, int], ...]) -> Unit:
    """Return one unit of all changes: the schedule's come first, the last execution's are the unit's own."""
    *before, last = changes
    return Unit(
        last.stream,
        last.version,
        last.events,
        timers_set=last.timers_set,
        timers_dropped=last.timers_dropped,
        slot=last.slot,
        process_id=last.process_id,
        guards=guards,
        before=tuple(before),
    )
