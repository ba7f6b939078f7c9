"""Pause, resume, run now and backfill schedules; each start is in the append that says why."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from commands.command import Beside, Command, CommandScope, Note, ScheduleId
from commands.deciding import Identified, persist, unidentified
from commands.plans import Plans, refuse_paused
from commands.receipt import Receipt
from commands.schedule_ledgers import ScheduleLedger
from commands.scheduled_runs import ScheduledRuns, scheduled_runs
from domain.event import Cause, Event
from domain.identity import new_id
from domain.refusal import Forbidden, Malformed, NotFound, Problem
from domain.schedules.decisions import (
    MOST_BACKFILLED,
    backfill_schedule,
    may_backfill,
    pause_schedule,
    resume_schedule,
    run_now,
)
from domain.schedules.due import Hindrance
from domain.schedules.events import (
    ScheduleCarried,
    ScheduleOccurrenceBackfilled,
    ScheduleRegistered,
    ScheduleRunStarted,
)
from domain.schedules.ledger import Occurrence
from domain.schedules.rules import terms_of
from domain.schedules.schedule import Schedule, fold
from store.carried import read_carried, version_of
from store.log import Log
from store.unit import StreamChange, Unit

MOST_STARTED_AT_ONCE = 50
MOST_SHOWN = 50


class PauseSchedule(Command, frozen=True):
    """Let the schedule start nothing until it is resumed. reason: why, for people."""

    scope = CommandScope.SCHEDULES_WRITE
    schedule_id: ScheduleId
    reason: Note = ""


class ResumeSchedule(Command, frozen=True):
    """Let the schedule start executions again, and catch up by its rule. reason: why, for people."""

    scope = CommandScope.SCHEDULES_WRITE
    schedule_id: ScheduleId
    reason: Note = ""


class RunScheduleNow(Command, frozen=True):
    """Start an execution at once; the cadence of the schedule stays. reason: why, for people."""

    scope = CommandScope.SCHEDULES_WRITE
    schedule_id: ScheduleId
    reason: Note = ""


class BackfillSchedule(Command, frozen=True):
    """Start an execution for each instant of a range that started none.

    begin: the first instant of the range. end: the first after it. dry_run: count them, and record nothing.
    """

    scope = CommandScope.SCHEDULES_WRITE
    schedule_id: ScheduleId
    begin: Annotated[datetime, Beside()]
    end: Annotated[datetime, Beside()]
    dry_run: Annotated[bool, Beside()] = False


Decided = Callable[[Schedule], list[Event]]


class Schedules:
    """The handlers of the commands above."""

    def __init__(self, log: Log, plans: Plans) -> None:
        self._log = log
        self._plans = plans

    def pause(self, command: PauseSchedule, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Pause the schedule. Raises NotFound or Forbidden (schedule_removed)."""
        return self._decide(
            command.schedule_id,
            lambda schedule: pause_schedule(schedule, command.reason, cause, terms_of),
            cause,
            identified,
        )

    def resume(self, command: ResumeSchedule, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Resume the schedule. Raises NotFound or Forbidden (schedule_removed, rule_refused, or nothing can start)."""
        ledger = ScheduleLedger(self._log, command.schedule_id)

        def decision(schedule: Schedule) -> list[Event]:
            skipped = ledger.skipped_by_pause(schedule, cause.at) if schedule.status == "paused" else []
            return resume_schedule(schedule, skipped, command.reason, cause.at, cause, terms_of)

        return self._decide(command.schedule_id, decision, cause, identified)

    def run_now(self, command: RunScheduleNow, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Start an execution; facts hold `execution_id`. Raises NotFound or Forbidden (nothing can start)."""
        execution = new_id()
        return self._decide(
            command.schedule_id,
            lambda schedule: run_now(schedule, execution, command.reason, cause, terms_of),
            cause,
            identified,
            facts={"execution_id": str(execution)},
        )

    def backfill(self, command: BackfillSchedule, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Start the instants of a range; facts hold `count`, `skipped` and `instants`, of a dry run alone.

        Each append starts some; if one fails, a repetition goes on with the others. Raises NotFound, Malformed (the
        range) or Forbidden (schedule_removed, backfill_too_large, or nothing can start).
        """
        if command.end <= command.begin:
            problem = Problem("invalid_range", "`to` is later than `from`", "to")
            raise Malformed(problem.message, [problem])
        id = command.schedule_id
        found, others = self._in_range(id, command.begin, command.end)
        if len(found) > MOST_BACKFILLED:
            message = f"the range holds {len(found)} instants to start; a backfill starts at most {MOST_BACKFILLED}"
            raise Forbidden(message, code="backfill_too_large", count=len(found))
        instants = [each.scheduled_at for each in found[:MOST_SHOWN]]
        facts: dict[str, object] = {"count": len(found), "skipped": others, "instants": instants}
        if command.dry_run or not found:
            return Receipt(id, self._log.last_position(), facts, duplicate=False)
        groups = [found[n : n + MOST_STARTED_AT_ONCE] for n in range(0, len(found), MOST_STARTED_AT_ONCE)]
        ledger = ScheduleLedger(self._log, id)
        for n, group in enumerate(groups, 1):

            def decision(schedule: Schedule, group: Sequence[Occurrence] = group) -> list[Event]:
                begun = ledger.begun(each.scheduled_at for each in group)
                open = [each for each in group if each.scheduled_at not in begun]
                return backfill_schedule(schedule, open, cause, terms_of)

            last = n == len(groups)
            receipt = self._decide(id, decision, cause, identified if last else unidentified, facts=facts)
        return receipt

    def _in_range(self, id: UUID, begin: datetime, end: datetime) -> tuple[list[Occurrence], int]:
        """Return the instants to start, and the number of the others."""
        schedule, _ = self._load(id)
        within = ScheduleLedger(self._log, id).between(schedule, begin, end)
        found = [each for each in within if may_backfill(each)]
        return found, len(within) - len(found)

    def _load(self, id: UUID) -> tuple[Schedule, int]:
        """Return the state of a schedule, from the last one that its stream carries, and its version."""
        with self._log.datastore.reading() as connection:
            events = read_carried(connection, [id]).get(id, [])
        # The id may be that of another noun.
        begins = events and isinstance(events[0], ScheduleRegistered | ScheduleCarried)
        schedule = fold(None, events) if begins else None
        if schedule is None:
            raise _unknown(id)
        return schedule, version_of(events)

    def _decide(
        self,
        id: UUID,
        decision: Decided,
        cause: Cause,
        identified: Identified,
        facts: dict[str, object] | None = None,
    ) -> Receipt:
        """Carry out a decision on one schedule, and start the executions that its events name, in one append."""

        def attempt() -> Receipt:
            schedule, version = self._load(id)
            new = decision(schedule)
            receipt = Receipt(id, 0, {"schedule_id": str(id), **(facts or {})}, duplicate=not new)
            answered = identified(receipt)
            if not new and answered is None:
                return msgspec.structs.replace(receipt, position=self._log.last_position())
            before, guards = self._starts(schedule, new, cause)
            unit = Unit(id, version, new, guards=guards, answered=answered, before=before)
            try:
                return msgspec.structs.replace(receipt, position=self._log.append(unit))
            finally:
                self._plans.forget(stream for stream, _ in guards)

        return persist(self._log, attempt, id)

    def _starts(
        self, schedule: Schedule, new: Sequence[Event], cause: Cause
    ) -> tuple[tuple[StreamChange, ...], tuple[tuple[UUID, int], ...]]:
        starts = [event for event in new if isinstance(event, ScheduleOccurrenceBackfilled | ScheduleRunStarted)]
        if not starts:
            return (), ()
        runs = self._runs(schedule)
        changes = tuple(
            runs.start(
                event.execution_id,
                event.scheduled_at if isinstance(event, ScheduleOccurrenceBackfilled) else None,
                cause.at,
                reports=False,
            )
            for event in starts
        )
        return changes, runs.guards

    def _runs(self, schedule: Schedule) -> ScheduledRuns:
        try:
            runs = scheduled_runs(self._plans, schedule)
        except Hindrance as hindrance:
            raise Forbidden(hindrance.detail, code=hindrance.reason) from hindrance
        refuse_paused(schedule.process, runs.pause)
        return runs


def _unknown(id: UUID) -> NotFound:
    return NotFound(f"there is no schedule {id}")
