"""A page of the log brought into read tables: folded, and written with the position; indigestible events are parked."""

import logging
from collections.abc import Sequence
from typing import Any, TypeVar

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from projections.facts import latest_of, read_facts
from projections.leaving import remove_archived
from projections.positions import Positions
from projections.projection import Projection, clean, fold_all
from store.listening import PROJECTED_CHANNEL
from store.unit import Outage

C = TypeVar("C")
logger = logging.getLogger(__name__)

PAGE = 10_000

PARK = """
insert into dead_letters (projection, position, error) values (%s, %s, %s)
on conflict (projection, position) do update set error = excluded.error, at = now()"""


class Broken(Exception):
    """The projection cannot write at all, whatever the event: its tables are missing or of another shape."""


def project_page(
    connection: Connection[Any],
    positions: Positions,
    projections: Sequence[Projection[Any]],
    after: int,
    rows: Sequence[TupleRow],
) -> None:
    """Bring a page that begins behind `after` into several projections at that position, in one transaction; notify.

    Raises Moved, an Outage, or the error of an event that a projection cannot digest: then use park_page one by one.
    """
    topics = frozenset[str]().union(*(projection.folded for projection in projections))
    facts = list(read_facts(rows, topics, connection))
    folded = fold_all(projections, facts, latest_of(facts))
    until: int = rows[-1][0]
    with connection.transaction():
        positions.move(connection, [projection.name for projection in projections], after, until)
        for projection, changes in zip(projections, folded, strict=True):
            projection.write(connection, changes)
            remove_archived(connection, projection, rows)
        notify(connection, until)


def park_page(
    connection: Connection[Any], positions: Positions, projection: Projection[Any], after: int, rows: Sequence[TupleRow]
) -> None:
    """Do the same for one projection, but park the events that it cannot digest. Raises Moved, Broken or an Outage."""
    until: int = rows[-1][0]
    with connection.transaction():
        positions.move(connection, [projection.name], after, until)
        digest(connection, projection, rows, projection.name)
        notify(connection, until)


def fold_page(projection: Projection[C], rows: Sequence[TupleRow], connection: Connection[Any]) -> C | None:
    """Return the changes by `rows` for `digest`, or None if they cannot be folded: it then finds out which, and why."""
    try:
        return projection.fold_rows(rows, connection)
    except Exception:
        logger.debug("%s cannot fold a page", projection.name, exc_info=True)
        return None


def digest(
    connection: Connection[Any],
    projection: Projection[C],
    rows: Sequence[TupleRow],
    parked_as: str,
    folded: C | None = None,
) -> None:
    """Write `rows` within the caller's transaction; indigestible events become dead letters of `parked_as`.

    Halves rows that fail until one event is left: the result does not depend on the ends of pages. folded: the changes
    by `rows`, where the caller has them. Raises Broken or an Outage.
    """
    topics = projection.topics
    if not any(row[3] in topics for row in rows):
        return
    try:
        with connection.transaction():
            if folded is None:
                folded = projection.fold_rows(rows, connection)
            projection.write(connection, folded)
            remove_archived(connection, projection, rows)
    except Exception as error:
        if is_outage(error):
            raise
        if is_broken(error):
            raise Broken(f"{projection.name}: {describe(error)}") from error
        if len(rows) > 1:
            half = len(rows) // 2
            digest(connection, projection, rows[:half], parked_as)
            digest(connection, projection, rows[half:], parked_as)
            return
        logger.exception("%s cannot digest the event at position %d, it is parked", projection.name, rows[0][0])
        connection.execute(PARK, (parked_as, rows[0][0], describe(error)))


def is_outage(error: Exception) -> bool:
    """Return whether the server is away, busy or full: no fault of the event. Limits of a value are no outage."""
    return isinstance(error, Outage) and not isinstance(error, psycopg.errors.ProgramLimitExceeded)


def is_broken(error: Exception) -> bool:
    """Return whether a table, a column or a permission is missing (SQLSTATE class 42): no fault of the event."""
    return isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith("42")


def describe(error: Exception) -> str:
    """Return the error for people and for a text column, without the values that PostgreSQL adds as details."""
    text = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return clean(f"{type(error).__name__}: {text or error}")


def notify(connection: Connection[Any], position: int) -> None:
    """Notify queries that wait, once the transaction is committed, that some read models have reached `position`."""
    connection.execute("select pg_notify(%s, %s)", (PROJECTED_CHANNEL, str(position)), prepare=True)
