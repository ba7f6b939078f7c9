"""Timers: the waiting ones and the overdue ones."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from domain.executions.decisions.refusals import NoSuchTimer
from queries.exchange import Question, answer
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, Page, bad_cursor, page_of, read_cursor, write_cursor
from queries.reading import Freshness, Reading, fetch

LIST = "execution_list"

_ORDER = ("t.due_at", "t.execution_id", "t.step", "t.kind")
# Each append moves the rows of the due list; only the process comes from a read model, which may be behind.
_LIST = f"""
select t.execution_id, t.step, t.kind, t.due_at, l.process,
  greatest(0, extract(epoch from now() - t.due_at))::float8 as overdue_seconds
from due_timers t left join execution_list l using (execution_id)
where {{where}} order by {", ".join(_ORDER)} limit %(rows)s"""
_OVERDUE = """
select count(*) as count, coalesce(max(extract(epoch from now() - due_at)), 0)::float8 as worst_seconds
from due_timers where due_at < now()"""


class TimerView(msgspec.Struct, frozen=True):
    """A timer, which fires at due_at. kind: ``timer``, ``timeout``, ``total_timeout``, ``retry``, ``heartbeat``
    or ``deadline``.

    overdue_seconds: the time since due_at, 0 before. process: its name; None for an execution begun a moment ago.
    """

    execution_id: UUID
    step: str
    kind: str
    due_at: datetime
    overdue_seconds: float
    process: str | None


class OverdueTimers(msgspec.Struct, frozen=True):
    """The number of timers that are due and have not fired yet, and the delay of the latest, in seconds."""

    count: int
    worst_seconds: float


class TimerFilter(msgspec.Struct, frozen=True, kw_only=True):
    """overdue: True: timers that are due by now; False: those that are not; None: all. kinds, process_ids: any of them,
    all without one. within: names of processes or their beginnings, as ``claims-*``.
    """

    overdue: bool | None = None
    kinds: Sequence[str] = ()
    process_ids: Sequence[UUID] = ()
    within: Sequence[str] = ()


NO_FILTER = TimerFilter()


def list_timers(
    reading: Reading,
    filter: TimerFilter = NO_FILTER,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[TimerView]:
    """Return timers, the next one first. Raises BadCursor or NotYet."""
    return answer(reading, timers_listed(filter, cursor, limit), min_position)


def timers_listed(filter: TimerFilter, cursor: str | None, limit: int) -> Question[Page[TimerView]]:
    """Return the question for timers, the next one first. Raises BadCursor."""
    where = Where({"rows": limit + 1})
    if cursor is not None:
        where.beyond(_ORDER, _read_cursor(cursor))
    where.within("l.process", filter.within)
    where.any_of("t.kind", filter.kinds, "text")
    where.any_of("l.process_id", filter.process_ids, "uuid")
    if filter.overdue is not None:
        where.holds("t.due_at < now()" if filter.overdue else "t.due_at >= now()")

    def view(rows: list[DictRow], freshness: Freshness) -> Page[TimerView]:
        return page_of([TimerView(**row) for row in rows], limit, freshness, _cursor)

    return Question(LIST, _LIST.format(where=where.sql), where.parameters, view)


def get_timer(reading: Reading, execution_id: UUID, step: str, kind: str) -> TimerView:
    """Return one timer. Raises NoSuchTimer."""
    where = Where({"rows": 1})
    where.add("t.execution_id = {}", execution_id)
    where.add("t.step = {}", step)
    where.add("t.kind = {}", kind)
    with reading.of(LIST) as (connection, _):
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
    if not rows:
        raise NoSuchTimer(f"step {step[:80]!r} has no timer of kind {kind[:80]!r} that is not fired yet")
    return TimerView(**rows[0])


def overdue_summary(reading: Reading) -> OverdueTimers:
    """Return the delay of timers: a timer is normally overdue for milliseconds. Raises Outage."""
    with reading.datastore.reading() as connection:
        return OverdueTimers(**fetch(connection, _OVERDUE)[0])


def _cursor(row: TimerView) -> str:
    return write_cursor("t", f"{row.due_at.astimezone(UTC).isoformat()} {row.execution_id} {row.kind} {row.step}")


def _read_cursor(cursor: str) -> tuple[datetime, UUID, str, str]:
    parts = read_cursor("t", cursor).split(" ", 3)
    try:
        due_at, execution_id, kind, step = parts
        at = datetime.fromisoformat(due_at)
        if at.tzinfo is None:
            raise ValueError("a time without a zone")
        return at, UUID(execution_id), step, kind
    except ValueError:
        raise bad_cursor() from None
