"""The ledger of a schedule: each expected instant with its outcome, and the counts, which balance."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, bad_cursor, page_of, read_cursor, write_cursor
from queries.reading import Reading, fetch

OCCURRENCES = "occurrences"

_LIST = """
select scheduled_at, outcome, reason, detail, execution_id, started_at, lateness_ms / 1000.0 as lateness_seconds,
  moved_to, rule_version
from schedule_occurrences where {where} order by scheduled_at desc limit %(rows)s"""
# The key of the ledger finds the last instants of each schedule: the query reads no more rows than it returns.
_STRIPS = """
select asked.schedule_id, o.scheduled_at, o.outcome, o.reason, o.execution_id,
  o.lateness_ms / 1000.0 as lateness_seconds, coalesce(l.status, a.status) as status
from unnest(%(ids)s::uuid[]) asked(schedule_id)
cross join lateral (
  select * from schedule_occurrences where schedule_id = asked.schedule_id order by scheduled_at desc limit %(rows)s) o
left join execution_list l on l.execution_id = o.execution_id
left join archived_executions a on a.execution_id = o.execution_id
order by o.scheduled_at"""
_OUTCOMES = ("started", "skipped", "missed", "coalesced", "backfilled", "moved", "waiting")
# Whole days are summed, and the instants of the part of a day at either end counted: bounded, however long the ledger.
_COUNTS = f"""
with parts as (
  select {", ".join(_OUTCOMES)} from schedule_days
  where schedule_id = %(schedule)s and day >= %(first)s::timestamptz and day < %(last)s::timestamptz
  union all
  select {", ".join(f"count(*) filter (where outcome = '{each}')" for each in _OUTCOMES)} from schedule_occurrences
  where schedule_id = %(schedule)s and (
    scheduled_at >= %(begin)s::timestamptz and scheduled_at < least(%(first)s::timestamptz, %(end)s::timestamptz)
    or scheduled_at >= greatest(%(first)s::timestamptz, %(last)s::timestamptz)
      and scheduled_at < %(end)s::timestamptz))
select {", ".join(f"coalesce(sum({each}), 0)::bigint as {each}" for each in _OUTCOMES)} from parts"""
_A_DAY = timedelta(days=1)


class OccurrenceView(msgspec.Struct, frozen=True):
    """An expected instant. outcome: started, skipped, missed, coalesced, backfilled or moved; ``waiting``: none yet.

    detail: of a refused start, in words. moved_to: where the run moved, or the instant that stands for it.
    rule_version: the version of the process whose rule expected it.
    """

    scheduled_at: datetime
    outcome: str
    reason: str | None
    detail: str | None
    execution_id: UUID | None
    started_at: datetime | None
    lateness_seconds: float | None
    moved_to: datetime | None
    rule_version: int


class OccurrenceMark(msgspec.Struct, frozen=True):
    """An expected instant in a strip. status: of the execution that it started; None for none."""

    scheduled_at: datetime
    outcome: str
    reason: str | None
    execution_id: UUID | None
    lateness_seconds: float | None
    status: str | None


class OccurrenceCounts(msgspec.Struct, frozen=True):
    """expected: the sum of all outcomes. waiting: those that wait for a running execution, beside it."""

    expected: int
    started: int
    skipped: int
    missed: int
    coalesced: int
    backfilled: int
    moved: int
    waiting: int


class OccurrencePage(msgspec.Struct, frozen=True):
    """Some instants, the latest first, and the counts of the whole range."""

    items: Sequence[OccurrenceView]
    counts: OccurrenceCounts
    next_cursor: str | None
    as_of_position: int
    lag_seconds: float


def list_occurrences(
    reading: Reading,
    schedule_id: UUID,
    begin: datetime | None = None,
    end: datetime | None = None,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> OccurrencePage:
    """Return the instants of a schedule from `begin` until `end`, the latest first. Raises BadCursor or NotYet."""
    where = _within(schedule_id, begin, end, limit + 1)
    if cursor is not None:
        where.before(("scheduled_at",), (_read_cursor(cursor),))
    with reading.of(OCCURRENCES, min_position) as (connection, freshness):
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
        counts = fetch(connection, _COUNTS, _counted(schedule_id, begin, end))[0]
    page = page_of(rows, limit, freshness, _cursor)
    items = [_occurrence(row) for row in page.items]
    expected = sum(counts.values()) - counts["waiting"]
    return OccurrencePage(
        items, OccurrenceCounts(expected, **counts), page.next_cursor, page.as_of_position, page.lag_seconds
    )


def ledger_strips(reading: Reading, schedule_ids: Sequence[UUID], limit: int) -> dict[UUID, list[OccurrenceMark]]:
    """Return the last instants of each of some schedules, the oldest first, by one query."""
    found: dict[UUID, list[OccurrenceMark]] = {id: [] for id in schedule_ids}
    with reading.of(OCCURRENCES) as (connection, _):
        rows = fetch(connection, _STRIPS, {"ids": list(schedule_ids), "rows": limit})
    for row in rows:
        late = row["lateness_seconds"]
        mark = OccurrenceMark(
            row["scheduled_at"],
            row["outcome"],
            row["reason"],
            row["execution_id"],
            None if late is None else float(late),
            row["status"],
        )
        found[row["schedule_id"]].append(mark)
    return found


def _occurrence(row: Mapping[str, Any]) -> OccurrenceView:
    late = row["lateness_seconds"]
    return OccurrenceView(**{**row, "lateness_seconds": None if late is None else float(late)})


def _counted(schedule_id: UUID, begin: datetime | None, end: datetime | None) -> dict[str, Any]:
    """Return the range to count. first, last: its whole days, the first one and the one after the last."""
    first: datetime | str = "-infinity"
    last: datetime | str = "infinity"
    if begin is not None:
        day = _day(begin)
        try:
            first = day if day == begin else day + _A_DAY
        except OverflowError:  # the last day that there is
            first = "infinity"
    if end is not None:
        last = _day(end)
    return {
        "schedule": schedule_id,
        "begin": begin or "-infinity",
        "end": end or "infinity",
        "first": first,
        "last": last,
    }


def _day(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _within(schedule_id: UUID, begin: datetime | None, end: datetime | None, rows: int) -> Where:
    where = Where({"rows": rows})
    where.add("schedule_id = {}", schedule_id)
    where.add("scheduled_at >= {}", begin)
    where.add("scheduled_at < {}", end)
    return where


def _cursor(row: Mapping[str, Any]) -> str:
    return write_cursor("occurrences", row["scheduled_at"].astimezone(UTC).isoformat())


def _read_cursor(cursor: str) -> datetime:
    try:
        at = datetime.fromisoformat(read_cursor("occurrences", cursor))
        if at.tzinfo is None:
            raise ValueError("a time without a zone")
    except ValueError:
        raise bad_cursor() from None
    return at
