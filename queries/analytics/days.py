"""Days of a zone as spans of UTC: the rows of a rollup that make them up, each read once, and where each row counts."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from psycopg import Connection, Cursor
from psycopg.rows import DictRow, dict_row

from domain.analytics.covers import near_midnights
from domain.analytics.grains import DAY, HOUR, QUARTER, minutes_of
from queries.analytics.number_arrays import load_numbers
from queries.filters import Where
from store.arrays import ints, quarters_as_timestamptzs

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

_DAY = minutes_of(DAY)
QUARTERS_OF_DAY = DAY // QUARTER
_HOUR = HOUR // QUARTER
# In one row, more sketches would be memory that the server takes anew each time.
_SPANS_OF_ROW = 128
_FIRST_DAY = date(1970, 1, 1).toordinal()
_BEGINS_OF = "array_agg((date_part('epoch', r.begins) / 900)::int) as quarters"
# A scan of the index for each time of day.
_TIMES = """select p.grain, found.*
from unnest(%(grains)b::int[], %(times)s::time[], %(begins)b::timestamptz[], %(ends)b::timestamptz[])
  as p(grain, at, begins, ends) cross join lateral (
  select {columns} from {table} r where r.grain = p.grain and (r.begins at time zone 'UTC')::time = p.at
    and r.begins >= p.begins and r.begins < p.ends and {where} {group} having count(*) > 0
) found"""
_BEGINS = """select {grain} as grain, {columns} from {table} r
where r.grain = {grain} and {condition} and {where} {group} having count(*) > 0"""
_ARRAY = "array_agg(r.{0}) as {0}"
_ARRAYS = {
    "sketch": "string_agg(r.sketch, ''::bytea) as sketch, array_agg(octet_length(r.sketch)) as sizes",
    # Many amounts are read faster as text than as numbers in binary.
    "amount": "string_agg(r.amount::text, ' ') as amounts",
}


class DaySpans:
    """The spans that make up days, which lie between bounds. number: of the days.

    A day is the days of UTC between the midnights that are nearest to its bounds. The time between a bound and its
    midnight is added to the day that begins there, and taken from the one that ends there: so each span is read once.
    """

    def __init__(self, bounds: Sequence[datetime]) -> None:
        import numpy as np  # here, so that commands that count nothing start fast

        midnights, ends = near_midnights(bounds)
        self.number = len(bounds) - 1
        self._firsts = [(each.toordinal() - _FIRST_DAY) * QUARTERS_OF_DAY for each in midnights]
        near: dict[int, list[tuple[int, int, int]]] = {}
        for legs, numbers in groupby(range(len(bounds)), ends.__getitem__):
            together = [*numbers]
            forward = 1 if bounds[together[0]] < midnights[together[0]] else -1
            for leg in legs:
                sign, step = forward if leg.begin < leg.end else -forward, leg.grain // QUARTER
                low, high = sorted((leg.begin // QUARTER, leg.end // QUARTER))
                spans = near.setdefault(minutes_of(leg.grain), [])
                for offset in range(low, high, step):
                    spans += [(self._firsts[each] + offset, each, sign) for each in together]
        # Of each grain the begins of the spans in order, the numbers of their bounds, and the signs.
        self._near = {minutes: np.array(sorted(spans)).T for minutes, spans in sorted(near.items())}
        self._days = np.array(self._firsts[:-1])
        self._of_times = self._given_times(self._firsts[0], self._firsts[-1])
        self._of_begins: dict[str, Any] = {"begin": midnights[0], "end": midnights[-1]}
        for minutes, (quarters, _, _) in self._near.items():
            self._of_begins[f"begins{minutes}"] = quarters_as_timestamptzs(quarters.tolist())

    def _given_times(self, begin: int, end: int) -> dict[str, Any]:
        """Return the parameters of _TIMES: days from `begin` to `end`, and the near spans that are a day apart."""
        found = [*_rows(_DAY, range(begin, end, QUARTERS_OF_DAY))]
        for minutes, (quarters, _, _) in self._near.items():
            by_time = sorted(set(quarters.tolist()), key=lambda quarter: (quarter % QUARTERS_OF_DAY, quarter))
            for _, numbered in groupby(enumerate(by_time), lambda each: each[1] - each[0] * QUARTERS_OF_DAY):
                run = [quarter for _, quarter in numbered]
                found += _rows(minutes, range(run[0], run[-1] + 1, QUARTERS_OF_DAY))
        grains, begins, ends = zip(*found, strict=True)
        return {
            "grains": ints(grains),
            "times": [_time_of(each % QUARTERS_OF_DAY) for each in begins],
            "begins": quarters_as_timestamptzs(begins),
            "ends": quarters_as_timestamptzs(ends),
        }

    def places(self, row: DictRow) -> "tuple[Numbers, Numbers]":
        """Return the place of each span of a row that `send` finds, and its sign.

        The place 2n + 1 is within day n, and 2n the border between the days n - 1 and n: what lies there is added to
        day n, and taken from the one before. By the sign -1 it is the other way. `of_days` does so.
        """
        import numpy as np

        quarters: Numbers = row["quarters"]
        if row["grain"] == _DAY:
            places = 2 * np.searchsorted(self._days, quarters, "right") - 1
            return places, np.ones_like(places)
        begins, bounds, signs = self._near[row["grain"]]
        at = np.searchsorted(begins, quarters)
        return 2 * bounds[at], signs[at]

    def send(
        self,
        connection: Connection[Any],
        table: str,
        where: Where,
        columns: Sequence[str],
        by: str = "",
        *,
        by_time: bool = False,
    ) -> Cursor[DictRow]:
        """Send the query for the rows of a rollup as arrays: their spans, and `columns`, of which sketches are joined
        and have `sizes` in bytes, and amounts are text. Each row is of one grain, and of one value of the column `by`.
        by_time: there is an index by time of day.
        """
        arrays = [_ARRAYS.get(each, _ARRAY).format(each) for each in columns]
        keys, group = ([f"r.{by}"], f"group by r.{by}") if by else ([], "")
        parts = {"columns": ", ".join([*keys, _BEGINS_OF, *arrays]), "group": group}
        parts |= {"table": table, "where": where.sql}
        query, given = (_TIMES.format_map(parts), self._of_times) if by_time else self._by_begins(parts)
        # In binary: sketches are most of the bytes of an answer, and as text they would be twice as many.
        cursor = connection.cursor(row_factory=dict_row, binary=True)
        load_numbers(cursor)
        return cursor.execute(query, given | where.parameters, prepare=True)

    def _by_begins(self, parts: dict[str, str]) -> tuple[str, dict[str, Any]]:
        """Return a query of which each part is a scan of the index, and its parameters."""
        conditions = {_DAY: "r.begins >= %(begin)s and r.begins < %(end)s"}
        conditions |= {minutes: f"r.begins = any(%(begins{minutes})b)" for minutes in self._near}
        scans = [_BEGINS.format(grain=grain, condition=each, **parts) for grain, each in conditions.items()]
        return " union all ".join(scans), self._of_begins


def of_days(by_place: "Numbers") -> "Numbers":
    """Return what numbers by place, as `places` has them along the first axis, are for each day."""
    found: Numbers = by_place[1::2] + by_place[:-1:2]
    found -= by_place[2::2]
    return found


def _rows(grain: int, run: range) -> Iterator[tuple[int, int, int]]:
    """Yield the grain, the begin and the end of spans a day apart, as many as one row of the answer has."""
    for first in range(0, len(run), _SPANS_OF_ROW):
        part = run[first : first + _SPANS_OF_ROW]
        yield grain, part[0], part[-1] + 1


def _time_of(quarter: int) -> time:
    hour, quarter = divmod(quarter, _HOUR)
    return time(hour, quarter * 15)


# Answers of one day in a zone have the same days.
@lru_cache(20)
def day_spans(bounds: tuple[datetime, ...]) -> DaySpans:
    """Return the spans that make up the days between bounds."""
    return DaySpans(bounds)
