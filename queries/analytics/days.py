"""Days of a zone as spans of UTC: the rows of a rollup that make them up, each read once, and where each row counts."""

from collections.abc import Sequence
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
_QUARTERS = DAY // QUARTER
_HOUR = HOUR // QUARTER
_FIRST_DAY = date(1970, 1, 1).toordinal()
_SPANS = """array_agg(r.grain) as grains,
array_agg((date_part('epoch', r.begins) / 900)::int) as quarters"""
# A scan of the index for each time of day.
_TIMES = """from unnest(%(grains)b::int[], %(times)s::time[], %(begins)b::timestamptz[], %(ends)b::timestamptz[])
  as p(grain, at, begins, ends) cross join lateral (
  select r.* from {table} r where r.grain = p.grain and (r.begins at time zone 'UTC')::time = p.at
    and r.begins >= p.begins and r.begins < p.ends and {where} offset 0
) r"""
_SKETCHES = "string_agg(r.sketch, ''::bytea) as sketch, array_agg(octet_length(r.sketch)) as sizes"


class DaySpans:
    """The spans that make up days, which lie between bounds. number: of the days.

    A day is the days of UTC between the midnights that are nearest to its bounds. The time between a bound and its
    midnight is added to the day that begins there, and taken from the one that ends there: so each span is read once.
    """

    def __init__(self, bounds: Sequence[datetime]) -> None:
        import numpy as np  # here, so that commands that count nothing start fast

        midnights, ends = near_midnights(bounds)
        self.number = len(bounds) - 1
        self._firsts = [(each.toordinal() - _FIRST_DAY) * _QUARTERS for each in midnights]
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
        found = [(_DAY, begin, end)]
        for minutes, (quarters, _, _) in self._near.items():
            by_time = sorted(set(quarters.tolist()), key=lambda quarter: (quarter % _QUARTERS, quarter))
            for _, numbered in groupby(enumerate(by_time), lambda each: each[1] - each[0] * _QUARTERS):
                run = [quarter for _, quarter in numbered]
                found.append((minutes, run[0], run[-1] + 1))
        grains, begins, ends = zip(*found, strict=True)
        return {
            "grains": ints(grains),
            "times": [_time_of(each % _QUARTERS) for each in begins],
            "begins": quarters_as_timestamptzs(begins),
            "ends": quarters_as_timestamptzs(ends),
        }

    def parts(self, row: DictRow) -> "tuple[Numbers, Numbers, Numbers]":
        """Return what makes up the days, of a row that `send` finds: indices in its arrays, numbers of days, and
        signs: 1 for what is added to the day, -1 for what is taken from it.
        """
        import numpy as np

        grains, quarters = row["grains"], row["quarters"]
        (indices,) = (grains == _DAY).nonzero()
        days = np.searchsorted(self._days, quarters[indices], "right") - 1
        found = [(indices, days, np.ones_like(days))]
        for minutes, (begins, bounds, signs) in self._near.items():
            (indices,) = (grains == minutes).nonzero()
            at = np.searchsorted(begins, quarters[indices])
            bounds, signs = bounds[at], signs[at]
            begin, end = bounds < self.number, bounds > 0
            found.append((indices[begin], bounds[begin], signs[begin]))
            found.append((indices[end], bounds[end] - 1, -signs[end]))
        indices, days, signs = (np.concatenate(each) for each in zip(*found, strict=True))
        return indices, days, signs

    def places(self, row: DictRow) -> "tuple[Numbers, Numbers]":
        """Return the place of each span of a row that `send` finds, as `medians_of` has them, and its sign."""
        import numpy as np

        grains: Numbers = row["grains"]
        quarters: Numbers = row["quarters"]
        places = 2 * np.searchsorted(self._days, quarters, "right") - 1
        signs = np.ones_like(places)
        for minutes, (begins, bounds, of_bounds) in self._near.items():
            near = grains == minutes
            at = np.searchsorted(begins, quarters[near])
            places[near], signs[near] = 2 * bounds[at], of_bounds[at]
        return places, signs

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
        and have `sizes` in bytes. One row for each value of the column `by`. by_time: there is an index by time of day.
        """
        if by_time:
            source, given = _TIMES.format(table=table, where=where.sql), self._of_times
        else:
            source, given = self._by_begins(table, where, (*columns, *((by,) if by else ()))), self._of_begins
        arrays = ", ".join(_SKETCHES if each == "sketch" else f"array_agg(r.{each}) as {each}" for each in columns)
        keys, group = (f"r.{by}, ", f"group by r.{by}") if by else ("", "")
        query = f"select {keys}{_SPANS}, {arrays} {source} {group} having count(*) > 0"
        # In binary: sketches are most of the bytes of an answer, and as text they would be twice as many.
        cursor = connection.cursor(row_factory=dict_row, binary=True)
        load_numbers(cursor)
        return cursor.execute(query, given | where.parameters, prepare=True)

    def _by_begins(self, table: str, where: Where, columns: Sequence[str]) -> str:
        conditions = {_DAY: "r.begins >= %(begin)s and r.begins < %(end)s"}
        conditions |= {minutes: f"r.begins = any(%(begins{minutes})b)" for minutes in self._near}
        # Each part is a scan of the index.
        rows = " union all ".join(
            f"select r.grain, r.begins, {', '.join(columns)} from {table} r "
            f"where r.grain = {minutes} and {condition} and {where.sql}"
            for minutes, condition in conditions.items()
        )
        return f"from ({rows}) r"


def _time_of(quarter: int) -> time:
    hour, quarter = divmod(quarter, _HOUR)
    return time(hour, quarter * 15)


# Answers of one day in a zone have the same days.
@lru_cache(20)
def day_spans(bounds: tuple[datetime, ...]) -> DaySpans:
    """Return the spans that make up the days between bounds."""
    return DaySpans(bounds)
