"""The events of items and rounds in the stream of an execution, by their numbers: no attempt takes anything from them.

Readers of a stream pass over them, so that a list of ten thousand items costs the page of its step nothing.
"""

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from psycopg import Connection

from projections.facts import Fact
from projections.table import OFTEN_UPDATED, Table, key, united

Runs = list[list[int]]


class RepetitionsRow(msgspec.Struct, gc=False):
    """items, rounds: the first and the last number of each run of such events without another between them."""

    execution_id: Annotated[bytes, key("uuid not null")]
    items: Annotated[Runs, united()] = []
    rounds: Annotated[Runs, united()] = []


REPETITIONS = Table("execution_repetitions", RepetitionsRow, f"fillfactor = 60, {OFTEN_UPDATED}")


class RepetitionChanges:
    """Rows of a page by execution."""

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows: dict[bytes, RepetitionsRow] = {}

    def add_item(self, fact: Fact) -> None:
        """Add an event of an item."""
        _extend(self._row(fact).items, fact.version)

    def add_round(self, fact: Fact) -> None:
        """Add the end of a round."""
        _extend(self._row(fact).rounds, fact.version)

    def add_later_round(self, fact: Fact) -> None:
        """Add the start of a child, unless its attempt begins with it."""
        if fact.event.goes_on:
            self.add_round(fact)

    def _row(self, fact: Fact) -> RepetitionsRow:
        row = self.rows.get(fact.stream)
        if row is None:
            row = self.rows[fact.stream] = RepetitionsRow(fact.stream)
        return row


def _extend(runs: Runs, version: int) -> None:
    if runs and runs[-1][1] + 1 == version:
        runs[-1][1] = version
    else:
        runs.append([version, version])


ADDERS = {
    **dict.fromkeys(("ItemStarted", "ItemCompleted", "ItemFailed"), RepetitionChanges.add_item),
    "RoundCompleted": RepetitionChanges.add_round,
    "SubProcessStarted": RepetitionChanges.add_later_round,
}


def write(connection: Connection[Any], rows: Iterable[RepetitionsRow]) -> None:
    """Write the rows of a page to execution_repetitions."""
    REPETITIONS.write(connection, rows)
