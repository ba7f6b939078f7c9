"""A rollup: what a page changes in the rows of one table, added to those that are there and written back."""

from collections.abc import Collection
from datetime import datetime
from decimal import Context, Decimal
from typing import Any, Generic, TypeVar

import msgspec
from psycopg import Connection

from domain.analytics.grains import GRAINS, begin_of, minutes_of
from domain.analytics.sketch import sum_of
from domain.money import MAX_DIGITS, add
from projections.analytics.rows import SpanRow, SpanTable
from projections.table import Table

R = TypeVar("R", bound=msgspec.Struct)
S = TypeVar("S", bound=SpanRow)
# One form of each amount, however it was added up.
_PLAIN = Context(prec=10 * MAX_DIGITS)
_FINEST = GRAINS[0]
_MINUTES = minutes_of(_FINEST)


class Rollup(Generic[R]):
    """The changes to one table, by the key of the row. A row of which nothing is left is deleted.

    So the rows that are there do not depend on where a page ends: an end that a later page takes back leaves no trace.
    """

    def __init__(self, table: Table[R], row: type[R]) -> None:
        self._table, self._row = table, row
        self._rows: dict[tuple[Any, ...], R] = {}
        self._keys, self._values = len(table.keys), table.values
        defaults = zip(row.__struct_fields__[self._keys :], row.__struct_defaults__, strict=True)
        self._amounts = [field for field, default in defaults if type(default) is Decimal]

    def row(self, *key: Any) -> R:
        """Return the changes to one row, to add to."""
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = self._row(*key)
        return row

    @property
    def rows(self) -> Collection[R]:
        """The changes by row."""
        return self._rows.values()

    def merge(self, key: tuple[Any, ...], other: R) -> None:
        """Add the changes `other`, which may be of another key, to those of one row."""
        into = self._rows.get(key)
        if into is None:
            values = [getattr(other, field) for field in self._values]
            self._rows[key] = self._row(*key, *(dict(each) if type(each) is dict else each for each in values))
            return
        for field in self._values:
            value: Any = getattr(other, field)
            # The scale of an amount that has become zero stays, as in the sums of the server.
            if not value and type(value) is not Decimal:
                continue
            if type(value) is dict:
                setattr(into, field, sum_of(getattr(into, field), value))
            elif type(value) is Decimal:
                setattr(into, field, add(getattr(into, field), value))
            elif type(value) is datetime:
                setattr(into, field, max(getattr(into, field) or value, value))
            else:
                setattr(into, field, getattr(into, field) + value)

    def append(self, connection: Connection[Any]) -> None:
        """Write the changes to a table that adds them up by itself, or that has no such rows yet."""
        self._table.write(connection, self._rows.values())

    def write(self, connection: Connection[Any]) -> None:
        """Add the changes to the rows that are there, in one query and at most two statements."""
        self._rows = {key: row for key, row in self._rows.items() if not self._is_vacant(row)}
        if not self._rows:
            return
        changed = list(self._rows.values())
        for found in self._table.find(connection, changed):
            self.merge(msgspec.structs.astuple(found)[: self._keys], found)
        left, vacant = list[R](), list[R]()
        for row in changed:
            (vacant if self._is_vacant(row) else left).append(row)
            self._make_plain(row)
        self._table.write(connection, left)
        self._table.delete(connection, vacant)

    def _is_vacant(self, row: R) -> bool:
        """Return whether every value is zero, and every bucket."""
        for field in self._values:
            value = getattr(row, field)
            if any(value.values()) if type(value) is dict else value:
                return False
        return True

    def _make_plain(self, row: R) -> None:
        for field in self._amounts:
            value = getattr(row, field)
            setattr(row, field, value.normalize(_PLAIN) if value else Decimal(0))


class SpanRollup(Rollup[S]):
    """The changes to a table of figures by span of time, first those of the finest grain."""

    def __init__(self, table: SpanTable[S], row: type[S]) -> None:
        super().__init__(table, row)
        self._coarser = [(minutes_of(grain), grain) for grain in table.grains if grain != _FINEST]

    def spread(self) -> None:
        """Add the rows of the finest grain to those of the coarser ones."""
        spans: dict[datetime, list[tuple[int, datetime]]] = {}  # most rows of a page lie in one
        for key, row in list(self._rows.items()):
            above = spans.get(row.begins)
            if above is None:
                above = [(minutes, begin_of(row.begins, grain)) for minutes, grain in self._coarser]
                spans[row.begins] = above
            for span in above:
                self.merge((*span, *key[2:]), row)

    def gather(self, others: "SpanRollup[Any]", *fields: str) -> None:
        """Add the rows of another rollup, which are of the finest grain, by their span and `fields` alone."""
        for row in others.rows:
            self.merge((row.grain, row.begins, *(getattr(row, field) for field in fields)), row)


def span_of(at: datetime) -> tuple[int, datetime]:
    """Return the grain and the beginning of the finest span in which an instant lies."""
    return _MINUTES, begin_of(at, _FINEST)
