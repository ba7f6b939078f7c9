"""The part of archived executions in the figures: kept in the database by read table, and where a rebuild begins."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from psycopg import Connection
from psycopg.rows import tuple_row

from projections.projection import Projection

ASIDE = "pg_temp"
DOCUMENTS = """select rows from public.archived_figures where projection = %s and table_name = %s order by position"""

LoggedRows = Sequence[tuple[Any, ...]]
FigureDocuments = list[tuple[str, str, bytes]]
"""Documents by projection and table."""


def figures_of(
    connection: Connection[Any], projections: Sequence[Projection[Any]], read: Callable[[], Iterable[LoggedRows]]
) -> FigureDocuments:
    """Return the rows that the events of `pages` alone add up to, in the tables that keep figures; change nothing.

    The search path of the connection begins with pg_temp. read: returns the events of whole execution trees, as rows
    (position, stream, version, topic, state) in the order of the log.
    """
    found: FigureDocuments = []
    for projection in projections:
        if projection.kept:
            with connection.transaction(force_rollback=True):
                projection.create(connection, indexed=False)
                for rows in read():
                    projection.write(connection, projection.fold_rows(rows, connection))
                for kept in projection.kept:
                    document = kept.document(connection)
                    if document is not None:
                        found.append((projection.name, kept.name, document))
    return found


def restore_figures(connection: Connection[Any], projection: Projection[Any]) -> None:
    """Add the figures of archived executions to the empty tables of `projection` on the search path."""
    for kept in projection.kept:
        with connection.cursor(row_factory=tuple_row) as cursor:
            documents = cursor.execute(DOCUMENTS, (projection.name, kept.name)).fetchall()
        kept.restore(connection, [bytes(document) for (document,) in documents])
