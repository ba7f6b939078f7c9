"""Dead letters: the events that a read model could not digest."""

from datetime import UTC, datetime

import msgspec

from domain.refusal import NotFound
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, LARGEST, Page, bad_cursor, page_of, read_cursor, write_cursor
from queries.reading import Reading, fetch

_ORDER = ("d.at", "d.position", "d.projection")
_BACKWARDS = ", ".join(f"{column} desc" for column in _ORDER)
# Letters of tables that are not in use stand under the name of the projection and of the tables' schema.
_LIST = f"""
select split_part(d.projection, ':', 1) as projection, d.position, d.error, d.at, e.topic as type,
  coalesce(nullif(split_part(d.projection, ':', 2), ''), 'in_use') as tables
from dead_letters d left join stored_events e on e.notification_id = d.position
where {{where}} order by {_BACKWARDS} limit %(rows)s"""


class DeadLetterNotFound(NotFound):
    """The read model has no dead letter at this position."""

    code = "dead_letter_not_found"


class DeadLetterView(msgspec.Struct, frozen=True):
    """An event, by its position in the log, that a projection failed to apply. type: of the event.

    tables: ``in_use``, or those not in use that lack the event: ``building``, ``previous``.
    """

    projection: str
    position: int
    error: str
    at: datetime
    type: str | None = None
    tables: str = "in_use"


def list_dead_letters(
    reading: Reading,
    *,
    projection: str | None = None,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[DeadLetterView]:
    """Return dead letters, the newest first; of one `projection`. Default: of all. Raises BadCursor or NotYet."""
    where = Where({"rows": limit + 1})
    if projection is not None:
        where.add("split_part(d.projection, ':', 1) = {}", projection)
    if cursor is not None:
        where.before(_ORDER, _read_cursor(cursor))
    with reading.log(min_position) as (connection, freshness):
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
    return page_of([DeadLetterView(**row) for row in rows], limit, freshness, _cursor)


def get_dead_letter(reading: Reading, projection: str, position: int) -> DeadLetterView:
    """Return the dead letter of the tables in use. Raises DeadLetterNotFound."""
    where = Where({"rows": 1})
    where.add("d.projection = {}", projection)
    where.add("d.position = {}", min(position, LARGEST))
    with reading.log() as (connection, _):
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
    if not rows or ":" in projection:
        raise DeadLetterNotFound(f"{projection[:80]} has no dead letter at position {position}")
    return DeadLetterView(**rows[0])


def _cursor(row: DeadLetterView) -> str:
    stored = row.projection if row.tables == "in_use" else f"{row.projection}:{row.tables}"
    return write_cursor("d", f"{row.at.astimezone(UTC).isoformat()} {row.position} {stored}")


def _read_cursor(cursor: str) -> tuple[datetime, int, str]:
    parts = read_cursor("d", cursor).split(" ", 2)
    try:
        at, position, stored = parts
        instant, number = datetime.fromisoformat(at), int(position)
        if instant.tzinfo is None or not 0 <= number <= LARGEST:
            raise ValueError("no place of this list")
        return instant, number, stored
    except ValueError:
        raise bad_cursor() from None
