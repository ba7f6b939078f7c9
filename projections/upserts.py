"""The statements that insert rows of one read table, or join them to those that are there."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

# The kinds of columns whose values go to the server as texts.
_AS_TEXTS = ("numeric", "int8multirange")
_WHOLE_NUMBERS = ("int", "bigint")
_SUM = "t + x"
_KEPT = 64


class Column(msgspec.Struct, frozen=True):
    """A column of a read table. type: the SQL type and its constraints. is_key: it is part of the primary key.

    join: the value after a page writes its value (x) over the value of the row (t). Default: the row keeps its value.
    marks: the columns that set this one if a page states one of them. optional: a page without a value, and without a
    mark, leaves the row as it is.
    """

    type: str
    join: str = ""
    is_key: bool = False
    marks: tuple[str, ...] = ()
    optional: bool = False

    @property
    def kind(self) -> str:
        """The SQL type alone."""
        return self.type.split()[0]


class Upserts:
    """One statement for each set of columns that have values, of which a table and a page have few.

    A page leaves most columns of a wide table empty. Columns without a value in any row stay out of the statement: the
    server neither unpacks nor joins them.
    """

    def __init__(self, table: str, keys: str, columns: Sequence[tuple[str, Column]]) -> None:
        self._table, self._keys, self._columns = table, keys, columns
        self._optional = [n for n, (_, column) in enumerate(columns) if column.optional]
        self._totals = [n for n, (_, each) in enumerate(columns) if each.join == _SUM and each.kind in _WHOLE_NUMBERS]
        self._statement = lru_cache(_KEPT)(self._write_statement)

    def choose(self, values: Sequence[Sequence[Any]]) -> tuple[str, list[int]]:
        """Return the statement for `values`, a sequence a column, and the numbers of the columns that it takes."""
        without = [n for n in self._optional if values[n][0] is None and values[n].count(None) == len(values[n])]
        zero = [n for n in self._totals if not values[n][0] and not any(values[n])]
        return self._statement(tuple(without), tuple(zero))

    def _write_statement(self, without: tuple[int, ...], zero: tuple[int, ...]) -> tuple[str, list[int]]:
        absent = {self._columns[n][0] for n in without}
        named = [n for n in range(len(self._columns)) if n not in without]
        taken = [n for n in named if n not in zero]
        joins = ",\n  ".join(
            f"{field} = {_joined(field, column)}"
            for n, (field, column) in enumerate(self._columns)
            if column.join and n not in zero and not (n in without and absent.issuperset(column.marks))
        )
        # Arrays in the list of columns become rows one by one; behind `from`, the server stores all of them first.
        values = ", ".join("0" if n in zero else _unnested(self._columns[n][1]) for n in named)
        return (
            f"insert into {self._table} as t ({', '.join(self._columns[n][0] for n in named)})\n"
            f"select {values}\n"
            f"on conflict ({self._keys}) do {f'update set {joins}' if joins else 'nothing'}"
        ), taken


def _unnested(column: Column) -> str:
    return f"unnest(%b){f'::{column.kind}' if column.kind in _AS_TEXTS else ''}"


def _joined(field: str, column: Column) -> str:
    words = {"t": f"t.{field}", "x": f"excluded.{field}"}
    return re.sub(r"(?<!\.)\b[tx]\b(?!\.)", lambda found: words[found[0]], column.join)
