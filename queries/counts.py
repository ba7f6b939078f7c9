"""Counts of rows of several read models, in one statement."""

from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from queries.reading import Reading, fetch


class RowCount(msgspec.Struct, frozen=True):
    """Rows that are counted. rows: ``select from … where …`` of a read model; names of parameters are its own."""

    projection: str
    rows: str
    parameters: dict[str, Any]


def count_all(reading: Reading, counts: Sequence[RowCount], most: int) -> list[int | None]:
    """Return the number of rows of each, `most` if there are more; None: its read model is being built. Raises Outage.

    One statement, which reads no freshness.
    """
    if not counts:
        return []
    parameters: dict[str, Any] = {"most": most}
    columns = []
    for number, each in enumerate(counts):
        parameters |= each.parameters
        found = f"(select count(*)::int from ({each.rows} limit %(most)s) counted)"
        shape = reading.progress.shapes.get(each.projection)
        if shape is not None:
            parameters |= {f"name{number}": each.projection, f"shape{number}": shape}
            digest = f"(select digest from projections where name = %(name{number})s)"
            found = f"case when {digest} = %(shape{number})s then {found} end"
        columns.append(f"{found} as n{number}")
    try:
        with reading.datastore.reading() as connection:
            [row] = fetch(connection, f"select {', '.join(columns)}", parameters)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        if len(counts) == 1:
            return [None]
        return [found for each in counts for found in count_all(reading, [each], most)]
    return [row[f"n{number}"] for number in range(len(counts))]
