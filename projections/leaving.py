"""Rows that leave the read tables with archived executions: the event states the position, a table the ids."""

from collections.abc import Iterable
from typing import Any

from psycopg import Connection

from projections.projection import ARCHIVED, Projection

# One execution after another by the index of its table, whatever the statistics.
REMOVE = """delete from {table} t using public.archived_executions a
where a.position = any(%s) and t.{column} = a.execution_id"""


def remove_archived(connection: Connection[Any], projection: Projection[Any], rows: Iterable[tuple[Any, ...]]) -> None:
    """Remove the rows of the executions that events among `rows` report as archived.

    rows: as (position, stream, version, topic, state). Part of the transaction that writes the page.
    """
    if not projection.leaving:
        return
    positions = [row[0] for row in rows if row[3] == ARCHIVED]
    if positions:
        for table, column in projection.leaving.items():
            connection.execute(REMOVE.format(table=table, column=column), (positions,))
