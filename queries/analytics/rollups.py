"""Reads of the rollups: sums and joined sketches by period, each in one query, all of an answer in one snapshot."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import msgspec
from psycopg import Connection, Cursor
from psycopg.rows import DictRow

from domain.executions.events.outcomes import COMPLETED
from queries.analytics.days import DaySpans
from queries.analytics.requests import FiguresFilter
from queries.analytics.spans import SpanSums
from queries.analytics.totals import RunTotal
from queries.filters import Where
from queries.labels import labelled_versions
from queries.reading import Freshness, Reading, fetch, send
from store.arrays import Array, timestamptzs

ANALYTICS = "analytics"
TREE, OWN = "tree", "own"
UNDER_WAY = ["queued", "running", "compensating"]

_SUMS = ", ".join(f"sum(r.{name})::bigint as {name}" for name in (*RunTotal.COUNTS, *RunTotal.TIMES))
JOINED = "string_agg(r.{0}, ''::bytea) filter (where r.{0} <> '') as {0}"
_COSTS = f"sum(r.of)::bigint as of, sum(r.priced)::bigint as priced, sum(r.amount) as amount, {JOINED.format('sketch')}"
BESIDE = ("execution_list", "process_catalogue")
FIRST_TABLES = ("analytics_agent_spending", "execution_list", "process_catalogue")
"""The first table by name of each of these read models, at which a switch begins."""
# One scan of the index by status for each, whatever the statistics say.
_RUNNING = """select l.process_id, l.version, count(*) as running
from unnest(%(under_way)s::text[]) as s(status) cross join lateral (
  select l.process_id, l.version from execution_list l where l.status = s.status and {where} offset 0) l
group by l.process_id, l.version"""
# The lists that figures link to have the others.
_ARCHIVED = """select {keys}, count(*)::int as archived from (
  select r.*, width_bucket(r.ended_at, %(bounds)b::timestamptz[]) - 1 as period
  from archived_executions r where r.ended_at >= %(begin)s and r.ended_at < %(end)s and {where}) r group by {keys}"""
_NAMES = "select process_id, name from process_catalogue where process_id = any(%s)"


class RollupSums:
    """The rollups at one position of the log, for one filter. bounds: of the periods, which count from 0."""

    def __init__(self, connection: Connection[DictRow], filter: FiguresFilter, labelled: Sequence[tuple[UUID, int]]):
        self._connection, self._filter, self._labelled = connection, filter, labelled

    def runs(self, bounds: Sequence[datetime], by: str) -> list[DictRow]:
        """Return counts, sums of times and sketches of durations by period, and by the columns `by`."""
        return self._sum("analytics_runs", bounds, by, f"{_SUMS}, {JOINED.format('sketch')}", self._roots())

    def ended_by_day(self, days: DaySpans, *, in_all: bool = False) -> Cursor[DictRow]:
        """Send the query for counts and sketches of durations of the spans of days.

        in_all: from the rows of all processes together; only for a filter that leaves none out.
        """
        table, where = "analytics_ended" if in_all else "analytics_runs", self._where(self._roots())
        return days.send(self._connection, table, where, (*RunTotal.COUNTS, "sketch"), by_time=in_all)

    def spending_by_day(self, days: DaySpans, *, in_all: bool = False) -> Cursor[DictRow]:
        """Send the query for the costs of calls of the spans of days, by currency. in_all: as above."""
        table, scope = ("analytics_spent", "true") if in_all else ("analytics_spending", self._scope())
        columns = ("amount", "uses")
        return days.send(self._connection, table, self._where(scope), columns, by="currency", by_time=in_all)

    def outcomes(self, bounds: Sequence[datetime]) -> list[DictRow]:
        """Return by process the periods with any executions that ended, and how many ended and failed in each."""
        sums = "sum(r.completed + r.failed + r.cancelled)::bigint as ended, sum(r.failed)::bigint as failed"
        arrays = "array_agg(period) as periods, array_agg(ended) as ended, array_agg(failed) as failed"
        grouped = f"select process_id, {arrays} from ({{query}}) found group by process_id"
        of = self._of("analytics_runs", "r.process_id", sums, self._roots(), grouped)
        return of.by_period(self._connection, bounds)

    def run_costs(self, bounds: Sequence[datetime], by: str) -> list[DictRow]:
        """Return the costs of completed executions by period, currency, and the columns `by`."""
        where = f"r.outcome = '{COMPLETED}' and {self._scope()}"
        return self._sum("analytics_run_costs", bounds, _with(by, "r.currency"), _COSTS, where)

    def spending(self, bounds: Sequence[datetime], by: str) -> list[DictRow]:
        """Return the costs of calls by the period of the call, currency, and the columns `by`."""
        sums = "sum(r.amount) as amount"
        return self._sum("analytics_spending", bounds, _with(by, "r.currency"), sums, self._scope())

    def steps(self, bounds: Sequence[datetime], time: str) -> list[DictRow]:
        """Return a time of steps, worked or waited, by process, step and whether they completed."""
        joined = JOINED.format(f"{time}_sketch")
        sums = f"sum(r.n)::bigint as n, sum(r.{time})::bigint as {time}, {joined}"
        by = "r.process_id, r.step, r.completed"
        return self._sum("analytics_steps", bounds, by, sums, self._roots())

    def step_costs(self, bounds: Sequence[datetime]) -> list[DictRow]:
        """Return the costs of steps by process, step, currency and whether they completed."""
        by = "r.process_id, r.step, r.completed, r.currency"
        return self._sum("analytics_step_costs", bounds, by, _COSTS, self._roots())

    def failures(self, bounds: Sequence[datetime]) -> list[DictRow]:
        """Return the numbers of failed executions by the error and the step."""
        return self._sum("analytics_failures", bounds, "r.code, r.step", "sum(r.n)::bigint as n", self._roots())

    def running(self) -> list[DictRow]:
        """Return the numbers of executions that have not ended, by process and version."""
        where = Where({"under_way": UNDER_WAY})
        if not self._filter.include_children:
            where.holds("l.parent_id is null")
        self._filtered(where, "l")
        return fetch(self._connection, _RUNNING.format(where=where.sql), where.parameters)

    def archived(self, bounds: Sequence[datetime], by: str = "") -> Cursor[DictRow]:
        """Send the query for how many of the executions that ended are archived, by period and the columns `by`."""
        where = Where({"bounds": _instants(tuple(bounds)), "begin": bounds[0], "end": bounds[-1]})
        if not self._filter.include_children:
            where.holds("r.root_id = r.execution_id")
        self._filtered(where, "r")
        keys = _with("period", by)
        return send(self._connection, _ARCHIVED.format(keys=keys, where=where.sql), where.parameters)

    def now(self) -> datetime:
        """Return the time of the snapshot."""
        at: datetime = fetch(self._connection, "select now() as at", ())[0]["at"]
        return at

    def names(self, process_ids: Sequence[UUID]) -> dict[UUID, str]:
        """Return the names of processes."""
        return {row["process_id"]: row["name"] for row in fetch(self._connection, _NAMES, (list(process_ids),))}

    def _sum(self, table: str, bounds: Sequence[datetime], by: str, sums: str, condition: str) -> list[DictRow]:
        return self._of(table, by, sums, condition).by_period(self._connection, bounds)

    def _of(self, table: str, by: str, sums: str, condition: str, outer: str = "{query}") -> SpanSums:
        return SpanSums(table, by, sums, self._where(condition), outer)

    def _where(self, condition: str) -> Where:
        where = Where()
        where.holds(condition)
        self._filtered(where, "r")
        return where

    def _filtered(self, where: Where, alias: str) -> None:
        given = self._filter
        where.any_of(f"{alias}.process_id", given.process_ids, "uuid")
        where.any_of(f"{alias}.version", given.versions, "int")
        where.any_of(f"{alias}.trigger", given.triggers, "text")
        if given.labels:
            where.parameters["labelled"] = [id for id, _ in self._labelled]
            where.parameters["numbers"] = [number for _, number in self._labelled]
            versions = "select * from unnest(%(labelled)s::uuid[], %(numbers)s::int[])"
            where.holds(f"({alias}.process_id, {alias}.version) in ({versions})")
        where.of_visible(f"{alias}.process_id", given.within)

    def _roots(self) -> str:
        return "true" if self._filter.include_children else "not r.called"

    def _scope(self) -> str:
        return f"r.scope = '{OWN if self._filter.include_children else TREE}'"


class RollupsCut(msgspec.Struct, frozen=True):
    """The rollups at one position of the log, for several answers. labelled: the versions with labels of a filter."""

    connection: Connection[DictRow]
    labelled: Sequence[tuple[UUID, int]]
    freshness: Freshness


FiguresSource = Reading | RollupsCut
"""Where answers are read from: a cut that they have in common, or one of their own."""


@contextmanager
def one_cut(reading: Reading, filter: FiguresFilter, min_position: int | None = None) -> Iterator[RollupsCut]:
    """Yield a cut for answers with the labels of a filter, exactly as fresh. Raises NotYet or ReadModelRebuilding."""
    labelled = labelled_versions(reading, filter.labels) if filter.labels else []
    with reading.of(ANALYTICS, min_position, beside=BESIDE, at_once=FIRST_TABLES) as (connection, freshness):
        # The snapshot begins with that of the freshness: a page moves the position together with the rows.
        yield RollupsCut(connection, labelled, freshness)


@contextmanager
def rollups(
    source: FiguresSource, filter: FiguresFilter, min_position: int | None = None
) -> Iterator[tuple[RollupSums, Freshness]]:
    """Yield the rollups at one cut, and how fresh they are: exactly. Raises NotYet or ReadModelRebuilding."""
    with nullcontext(source) if isinstance(source, RollupsCut) else one_cut(source, filter, min_position) as cut:
        yield RollupSums(cut.connection, filter, cut.labelled), cut.freshness


# A long window has hundreds of bounds.
@lru_cache(20)
def _instants(bounds: tuple[datetime, ...]) -> Array:
    return timestamptzs(bounds)


def _with(one: str, other: str) -> str:
    return f"{one}, {other}" if one and other else one or other
