"""Schedules: the fleet by next run, one, and the coming runs of all."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import dropwhile, islice, takewhile
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from domain.calendars.calendar import CalendarContent
from domain.refusal import NotFound
from domain.schedules.rules import RuleTimetable, describe, terms_of
from domain.schedules.schedule import Registration
from queries.amounts import Amount
from queries.analytics.usual import UNKNOWN, UsualFigures, usual_figures
from queries.exchange import Question
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, Page, bad_cursor, page_of, read_cursor, write_cursor
from queries.reading import Freshness, Reading, fetch
from queries.schedule_previews import PreviewedInstant, previewed

SCHEDULES = "schedules"
STATUSES = ("active", "paused", "ended", "removed")
LONGEST_WEEK = timedelta(days=31)
MOST_RUNS = 1_000
MOST_RUNS_OF_ONE = 200
MOST_SCHEDULES = 2_000
COMING = 2

# Schedules without a next run come last.
_NEXT = "coalesce(case when s.in_force = 1 then s.next_at end, 'infinity'::timestamptz)"
_STATUS = """case when s.in_force = 0 then 'removed' when s.paused = 1 then 'paused'
  when s.next_at is null then 'ended' else 'active' end"""
_BY_NEXT = f"order by {_NEXT}, s.schedule_id"
_ROWS = f"""
select s.schedule_id, s.process_id, s.process, s.trigger_id, s.version, {_STATUS} as status, s.reason, s.rule,
  s.calendars, s.anchor, case when s.in_force = 1 then s.next_at end as next_run, s.run_at, s.run_id, s.run_outcome,
  coalesce(l.status, a.status) as run_status, s.outcome as last_outcome, s.outcome_at as last_outcome_at,
  coalesce(s.failures, 0) as consecutive_failures, coalesce(p.pause, '') <> '' as process_paused
from schedule_list s left join execution_list l on l.execution_id = s.run_id
  left join archived_executions a on a.execution_id = s.run_id
  left join paused_processes p on p.process_id = s.process_id
where {{where}} {_BY_NEXT}"""
_SELECT = f"{_ROWS} limit %(rows)s"
_NEXT_IDS = f"(select s.schedule_id from schedule_list s where {{where}} {_BY_NEXT} limit %(rows)s)"
_FAILING_IDS = _NEXT_IDS.format(where="s.failures >= %(failures)s and {where}")
_URGENT = _ROWS.format(where=f"s.schedule_id in ({_NEXT_IDS} union all {_FAILING_IDS})")


class LastScheduledRun(msgspec.Struct, frozen=True):
    """The last execution that a schedule started. outcome: started or backfilled; status: of the execution."""

    scheduled_at: datetime
    execution_id: UUID
    outcome: str
    status: str | None


class ScheduleView(msgspec.Struct, frozen=True):
    """A schedule. rule: the trigger as its version states it; words: the same in words.

    status: ``active``, ``paused``, ``ended`` (nothing is expected any more) or ``removed``; reason: of a pause or a
    removal. next_run: with its jitter. coming: the next two runs without it, with what is special about each.
    process_paused: its process starts nothing, and each run is skipped. usual_duration, usual_cost: medians of the
    completed executions of its process in 30 complete days and today; None: fewer than five.
    """

    schedule_id: UUID
    process_id: UUID
    process: str
    trigger_id: str
    version: int
    status: str
    reason: str | None
    rule: msgspec.Raw
    timezone: str
    words: str
    next_run: datetime | None
    last_run: LastScheduledRun | None
    last_outcome: str | None
    consecutive_failures: int
    coming: list[PreviewedInstant] = []
    usual_duration: float | None = None
    usual_cost: list[Amount] | None = None
    process_paused: bool = False


class ScheduleFilter(msgspec.Struct, frozen=True, kw_only=True):
    """process_ids, statuses: any of them, all without one. within: names of processes or their beginnings.

    failures: so many of its last runs in a row failed, or more.
    """

    process_ids: Sequence[UUID] = ()
    statuses: Sequence[str] = ()
    within: Sequence[str] = ()
    failures: int | None = None


class UrgentSchedules(msgspec.Struct, frozen=True):
    """Active schedules by their next run, without what their runs usually take. failing: of these, and beyond them."""

    next: list[ScheduleView]
    failing: list[ScheduleView]


class ComingRun(msgspec.Struct, frozen=True):
    """An instant that a schedule expects. flags: ``dst_gap``, ``dst_overlap``, ``short_month``."""

    at: datetime
    schedule_id: UUID
    process_id: UUID
    process: str
    trigger_id: str
    flags: list[str] = []
    usual_duration: float | None = None
    usual_cost: list[Amount] | None = None


class ComingRuns(msgspec.Struct, frozen=True):
    """The runs of the fleet between two instants, in order. truncated: there are more than the answer holds.

    Of one schedule it holds at most 200.
    """

    items: list[ComingRun]
    truncated: bool
    as_of_position: int
    lag_seconds: float


_rule = msgspec.json.Decoder(dict[str, Any]).decode
_calendars = msgspec.json.Decoder(dict[str, CalendarContent]).decode
_FIRST = datetime.min.replace(tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
NO_FILTER = ScheduleFilter()
Usual = Mapping[UUID, UsualFigures]
"""By process."""


def list_schedules(
    reading: Reading,
    filter: ScheduleFilter = NO_FILTER,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[ScheduleView]:
    """Return schedules by their next run; those without one come last. Raises BadCursor or NotYet."""
    where = _where(filter, limit + 1)
    if cursor is not None:
        where.beyond((_NEXT, "s.schedule_id"), _read_cursor(cursor))
    with reading.of(SCHEDULES, min_position) as (connection, freshness):
        rows = fetch(connection, _SELECT.format(where=where.sql), where.parameters)
    page = page_of(rows, limit, freshness, _cursor)
    usual = usual_figures(reading, {row["process_id"] for row in page.items})
    views = [_view(row, COMING, usual) for row in page.items]
    return Page(views, page.next_cursor, page.as_of_position, page.lag_seconds)


def urgent_schedules(within: Sequence[str], failures: int, limit: int) -> Question[UrgentSchedules]:
    """Return the question for the active schedules that an overview shows, with one coming run each.

    within: as in the filter. failures: of the failing ones, so many of the last runs in a row.
    """
    where = _where(ScheduleFilter(statuses=("active",), within=within), limit)
    where.parameters["failures"] = failures

    def view(rows: list[DictRow], _: Freshness) -> UrgentSchedules:
        views = [_view(row, 1, {}) for row in rows]
        failing = [each for each in views if each.consecutive_failures >= failures]
        return UrgentSchedules(views[:limit], failing[:limit])

    return Question(SCHEDULES, _URGENT.format(where=where.sql), where.parameters, view, ("execution_list",))


def get_schedule(
    reading: Reading,
    schedule_id: UUID,
    *,
    within: Sequence[str] = (),
    min_position: int | None = None,
    coming: int = COMING,
) -> ScheduleView:
    """Return one schedule, with so many coming runs. Raises NotFound or NotYet."""
    where = _where(ScheduleFilter(within=within), 1)
    where.add("s.schedule_id = {}", schedule_id)
    with reading.of(SCHEDULES, min_position) as (connection, _):
        rows = fetch(connection, _SELECT.format(where=where.sql), where.parameters)
    if not rows:
        raise NotFound(f"there is no schedule {schedule_id}")
    return _view(rows[0], coming, usual_figures(reading, [rows[0]["process_id"]]))


def coming_runs(
    reading: Reading,
    begin: datetime,
    end: datetime,
    filter: ScheduleFilter = NO_FILTER,
    *,
    min_position: int | None = None,
) -> ComingRuns:
    """Return the runs that active schedules expect from `begin` until `end`, by the calculator.

    A process that is paused expects none.
    """
    where = _where(msgspec.structs.replace(filter, statuses=("active",)), MOST_SCHEDULES)
    where.holds("coalesce(p.pause, '') = ''")
    with reading.of(SCHEDULES, min_position) as (connection, freshness):
        rows = fetch(connection, _SELECT.format(where=where.sql), where.parameters)
    usual = usual_figures(reading, {row["process_id"] for row in rows})
    runs = heapq.merge(*(_runs(row, begin, end, usual) for row in rows), key=lambda run: run.at)
    items = list(islice(runs, MOST_RUNS + 1))
    truncated = len(items) > MOST_RUNS or len(rows) == MOST_SCHEDULES
    return ComingRuns(items[:MOST_RUNS], truncated, freshness.as_of_position, freshness.lag_seconds)


def _runs(row: Mapping[str, Any], begin: datetime, end: datetime, usual: Usual) -> Iterator[ComingRun]:
    timetable = terms_of(_registration(row)).timetable
    if not isinstance(timetable, RuleTimetable):
        return
    expected = usual.get(row["process_id"], UNKNOWN)
    instants = timetable.after(begin - _MICROSECOND if begin > _FIRST else begin)
    within = takewhile(lambda each: each.at < end, instants)
    running = (each for each in within if each.fate == "run")
    for each in islice(running, MOST_RUNS_OF_ONE):
        names = (row["schedule_id"], row["process_id"], row["process"], row["trigger_id"])
        yield ComingRun(each.at, *names, list(each.flags), expected.duration, expected.cost)


def _coming(registration: Registration, next_run: datetime | None, count: int) -> list[PreviewedInstant]:
    """Return the runs from the one that is due at `next_run` on."""
    timetable = terms_of(registration).timetable
    if next_run is None or not isinstance(timetable, RuleTimetable):
        return []
    found = timetable.after(next_run - timetable.rule.jitter - _MICROSECOND)
    running = (each for each in found if each.fate == "run")
    since = dropwhile(lambda each: timetable.due_at(each) < next_run, running)
    return [previewed(each) for each in islice(since, count)]


def _where(filter: ScheduleFilter, rows: int) -> Where:
    where = Where({"rows": rows})
    where.holds("s.process_id is not null")
    where.any_of("s.process_id", filter.process_ids, "uuid")
    where.any_of(_STATUS, filter.statuses, "text")
    where.within("s.process", filter.within)
    where.add("s.failures >= {}", filter.failures)
    return where


def _registration(row: Mapping[str, Any]) -> Registration:
    calendars = {} if row["calendars"] is None else _calendars(row["calendars"])
    return Registration(row["schedule_id"], row["version"], _rule(row["rule"]), calendars, row["anchor"], row["anchor"])


def _view(row: Mapping[str, Any], coming: int, usual: Usual) -> ScheduleView:
    last = None
    if row["run_at"] is not None:
        last = LastScheduledRun(row["run_at"], row["run_id"], row["run_outcome"], row["run_status"])
    registration, expected = _registration(row), usual.get(row["process_id"], UNKNOWN)
    return ScheduleView(
        row["schedule_id"],
        row["process_id"],
        row["process"],
        row["trigger_id"],
        row["version"],
        row["status"],
        row["reason"] if row["status"] in ("paused", "removed") else None,
        row["rule"],
        registration.rule.get("timezone", "UTC"),
        describe(registration),
        row["next_run"],
        last,
        row["last_outcome"],
        row["consecutive_failures"],
        _coming(registration, row["next_run"] if row["status"] == "active" else None, coming),
        usual_duration=expected.duration,
        usual_cost=expected.cost,
        process_paused=row["process_paused"],
    )


def _cursor(row: Mapping[str, Any]) -> str:
    next_at = row["next_run"] if row["status"] != "removed" else None
    written = "infinity" if next_at is None else next_at.astimezone(UTC).isoformat()
    return write_cursor("schedules", f"{written} {row['schedule_id']}")


def _read_cursor(cursor: str) -> tuple[str, UUID]:
    try:
        written, id = read_cursor("schedules", cursor).split(" ")
        if written != "infinity" and datetime.fromisoformat(written).tzinfo is None:
            raise ValueError("a time without a zone")
        return written, UUID(id)
    except ValueError:
        raise bad_cursor() from None
