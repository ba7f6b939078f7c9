"""Conditions of a list: OR within a field, AND between fields."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from store.arrays import texts, uuids

_ARRAYS: Mapping[str, Callable[[Any], object]] = {"text": texts, "uuid": uuids}
"""psycopg takes longer for a list of one text than for all else of a statement."""


class Where:
    """Conditions of one query; `sql` joins them, `parameters` holds their values by name.

    prefix: of the names, for conditions that stand in one statement with others.
    """

    def __init__(self, parameters: dict[str, Any] | None = None, *, prefix: str = "") -> None:
        self.parameters: dict[str, Any] = dict(parameters or {})
        self._prefix = prefix
        self._conditions: list[str] = []

    @property
    def sql(self) -> str:
        """Return the condition that a row must meet."""
        return " and ".join(self._conditions) or "true"

    def add(self, condition: str, value: object) -> None:
        """Add `condition`, in which {} stands for `value`; nothing for None."""
        if value is not None:
            name = f"{self._prefix}p{len(self._conditions)}"
            self.parameters[name] = value
            self._conditions.append(condition.format(f"%({name})s"))

    def holds(self, condition: str) -> None:
        """Add `condition` as it is."""
        self._conditions.append(condition)

    def beyond(self, columns: Sequence[str], values: Sequence[object]) -> None:
        """Require a row after the one whose `columns`, by which the list is ordered, have `values`."""
        names = [f"beyond{n}" for n in range(len(values))]
        self.parameters.update(zip(names, values, strict=True))
        marks = ", ".join(f"%({name})s" for name in names)
        self._conditions.append(f"({', '.join(columns)}) > ({marks})")

    def before(self, columns: Sequence[str], values: Sequence[object]) -> None:
        """Require a row before the one whose `columns`, by which the list is ordered backwards, have `values`."""
        names = [f"before{n}" for n in range(len(values))]
        self.parameters.update(zip(names, values, strict=True))
        marks = ", ".join(f"%({name})s" for name in names)
        self._conditions.append(f"({', '.join(columns)}) < ({marks})")

    def any_of(self, column: str, values: Sequence[object], kind: str) -> None:
        """Require one of `values`, of the SQL type `kind`, in `column`; nothing without values."""
        if values:
            self.add(f"{column} = any({{}}::{kind}[])", _ARRAYS.get(kind, list)(values))

    def within(self, column: str, patterns: Sequence[str]) -> None:
        """Require a name that one of `patterns`, names or beginnings as ``claims-*``, matches; nothing without any."""
        if patterns:
            self.add(f"{column} like any({{}}::text[])", liked(patterns))

    def of_visible(self, column: str, patterns: Sequence[str]) -> None:
        """Require the id of a process with such a name in `column`; nothing without patterns."""
        if patterns:
            visible = "select process_id from process_catalogue where name like any({}::text[])"
            self.add(f"{column} in ({visible})", liked(patterns))

    def any_of_either(self, columns: Sequence[str], values: Sequence[object], kind: str) -> None:
        """Require one of `values` in one of `columns`; nothing without values."""
        if values:
            condition = " or ".join(f"{column} = any({{0}}::{kind}[])" for column in columns)
            self.add(f"({condition})", _ARRAYS.get(kind, list)(values))


def liked(patterns: Sequence[str]) -> list[str]:
    """Return names, or beginnings as ``claims-*``, as patterns of `like`."""
    beginnings = [f"{escaped(each[:-1])}%" for each in patterns if each.endswith("*")]
    return [escaped(each) for each in patterns if not each.endswith("*")] + beginnings


def escaped(text: str) -> str:
    """Return a text that `like` takes as it is."""
    return text.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
