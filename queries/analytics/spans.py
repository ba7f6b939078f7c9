"""Sums of the rows of a rollup by period: each sum in one query, however the periods are made up of spans."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from domain.analytics.covers import GrainRange, cover, whole_grain
from domain.analytics.grains import DAY, minutes_of
from queries.filters import Where
from store.arrays import ints, timestamptzs

# Each range is a scan of the index: for a join the server would at times rather read the whole table.
_RANGED = """from unnest(%(grains)b::int[], %(begins)b::timestamptz[], %(ends)b::timestamptz[], %(periods)b::int[])
  as p(grain, begins, ends, period) cross join lateral (
  select r.*, p.period from {table} r
  where r.grain = p.grain and r.begins >= p.begins and r.begins < p.ends and {where} offset 0
) r"""
# Where all periods begin with a span of one grain, one scan reads them all.
_SCANNED = """from (
  select r.*, width_bucket(r.begins, %(bounds)b::timestamptz[]) - 1 as period
  from {table} r where r.grain = %(grain)s and r.begins >= %(begin)s and r.begins < %(end)s and {where}
) r"""
FEW_BOUNDS = 8


class SpanSums(msgspec.Struct, frozen=True):
    """Sums of the rows of one table. by, sums: columns of the answer; where: a condition. outer: a query around it."""

    table: str
    by: str
    sums: str
    where: Where
    outer: str = "{query}"

    def by_period(self, connection: Connection[Any], bounds: Sequence[datetime]) -> list[DictRow]:
        """Return the sums by period, which counts from 0, and by the columns."""
        return self._read(connection, periods(bounds))

    def query(self, rows: str) -> str:
        """Return the query of the sums of `rows`, of Periods; it needs the parameters of these, and of `where`."""
        keys = f"r.period, {self.by}" if self.by else "r.period"
        source = rows.format(table=self.table, where=self.where.sql)
        return self.outer.format(query=f"select {keys}, {self.sums} {source} group by {keys}")

    def _read(self, connection: Connection[Any], of: "Periods") -> list[DictRow]:
        # In binary: sketches are most of the bytes of an answer, and as text they would be twice as many.
        with connection.cursor(row_factory=dict_row, binary=True) as cursor:
            return cursor.execute(self.query(of.rows), of.given | self.where.parameters, prepare=True).fetchall()


class Periods(NamedTuple):
    """The rows of periods. rows: SQL from `from` on, with the table and a condition open; given: its parameters."""

    rows: str
    given: dict[str, Any]


def periods(bounds: Sequence[datetime]) -> Periods:
    """Return the rows of the periods between bounds, which count from 0."""
    grain = whole_grain(bounds) if len(bounds) > FEW_BOUNDS else None
    if grain is not None and bounds[-1] - bounds[0] <= len(bounds) * DAY:
        given = {"grain": minutes_of(grain), "begin": bounds[0], "end": bounds[-1], "bounds": timestamptzs(bounds)}
        return Periods(_SCANNED, given)
    return _ranged([(each, n) for n, (begin, end) in enumerate(pairwise(bounds)) for each in cover(begin, end)])


def _ranged(ranges: Sequence[tuple[GrainRange, int]]) -> Periods:
    given = {
        "grains": ints([minutes_of(each.grain) for each, _ in ranges]),
        "begins": timestamptzs([each.begin for each, _ in ranges]),
        "ends": timestamptzs([each.end for each, _ in ranges]),
        "periods": ints([number for _, number in ranges]),
    }
    return Periods(_RANGED, given)
