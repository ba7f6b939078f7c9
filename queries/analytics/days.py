"""Days of a zone as spans of UTC: the rows of a rollup that make them up, each read once, and where each row counts."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from domain.analytics.covers import near_midnights
from domain.analytics.grains import DAY, QUARTER, minutes_of
from queries.filters import Where
from store.arrays import quarters_as_timestamptzs

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

_DAY = minutes_of(DAY)
_QUARTERS = DAY // QUARTER
_FIRST_DAY = date(1970, 1, 1).toordinal()
_SPANS = """array_agg(r.grain) as grains,
array_agg((date_part('epoch', r.begins) / 900)::int) as quarters"""
_SKETCHES = "string_agg(r.sketch, ''::bytea) as sketch, array_agg(octet_length(r.sketch)) as sizes"


class DaySpans:
    """The spans that make up days, which lie between bounds. number: of the days.

    A day is the days of UTC between the midnights that are nearest to its bounds. The time between a bound and its
    midnight is added to the day that begins there, and taken from the one that ends there: so each span is read once.
    """

    def __init__(self, bounds: Sequence[datetime]) -> None:
        midnights, ends = near_midnights(bounds)
        self.number = len(bounds) - 1
        self._begin, self._end = midnights[0], midnights[-1]
        self._firsts = [(each.toordinal() - _FIRST_DAY) * _QUARTERS for each in midnights]
        self._near: dict[int, list[tuple[int, int, int]]] = {}
        for legs, numbers in groupby(range(len(bounds)), ends.__getitem__):
            together = [*numbers]
            forward = 1 if bounds[together[0]] < midnights[together[0]] else -1
            for leg in legs:
                sign, step = forward if leg.begin < leg.end else -forward, leg.grain // QUARTER
                low, high = sorted((leg.begin // QUARTER, leg.end // QUARTER))
                spans = self._near.setdefault(minutes_of(leg.grain), [])
                for offset in range(low, high, step):
                    spans += [(self._firsts[each] + offset, each, sign) for each in together]

    def parts(self, row: DictRow) -> "tuple[Numbers, Numbers, Numbers]":
        """Return what makes up the days, of a row that `rows` returns: indices in its arrays, numbers of days, and
        signs: 1 for what is added to the day, -1 for what is taken from it.
        """
        import numpy as np

        grains, quarters = np.array(row["grains"]), np.array(row["quarters"])
        (indices,) = (grains == _DAY).nonzero()
        days = np.searchsorted(self._firsts[:-1], quarters[indices], "right") - 1
        found = [(indices, days, np.ones_like(days))]
        for minutes, spans in self._near.items():
            (indices,) = (grains == minutes).nonzero()
            begins, bounds, signs = np.array(sorted(spans)).T
            at = np.searchsorted(begins, quarters[indices])
            bounds, signs = bounds[at], signs[at]
            begin, end = bounds < self.number, bounds > 0
            found.append((indices[begin], bounds[begin], signs[begin]))
            found.append((indices[end], bounds[end] - 1, -signs[end]))
        indices, days, signs = (np.concatenate(each) for each in zip(*found, strict=True))
        return indices, days, signs

    def rows(
        self, connection: Connection[Any], table: str, where: Where, columns: Sequence[str], by: str = ""
    ) -> list[DictRow]:
        """Return the rows of a rollup as arrays: their spans, and `columns`, of which sketches are joined and have
        `sizes` in bytes. One row for each value of the column `by`.
        """
        given: dict[str, Any] = {"begin": self._begin, "end": self._end}
        conditions = {_DAY: "r.begins >= %(begin)s and r.begins < %(end)s"}
        for minutes, spans in sorted(self._near.items()):
            given[f"begins{minutes}"] = quarters_as_timestamptzs([quarter for quarter, _, _ in spans])
            conditions[minutes] = f"r.begins = any(%(begins{minutes})b)"
        # Each part is a scan of the index.
        rows = " union all ".join(
            f"select r.grain, r.begins, {', '.join((*columns, *((by,) if by else ())))} from {table} r "
            f"where r.grain = {minutes} and {condition} and {where.sql}"
            for minutes, condition in conditions.items()
        )
        arrays = ", ".join(_SKETCHES if each == "sketch" else f"array_agg(r.{each}) as {each}" for each in columns)
        keys, group = (f"r.{by}, ", f"group by r.{by}") if by else ("", "")
        query = f"select {keys}{_SPANS}, {arrays} from ({rows}) r {group} having count(*) > 0"
        # In binary: sketches are most of the bytes of an answer, and as text they would be twice as many.
        with connection.cursor(row_factory=dict_row, binary=True) as cursor:
            return cursor.execute(query, given | where.parameters, prepare=True).fetchall()
