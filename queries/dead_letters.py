"""Dead letters: the events that a read model could not digest."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from domain.refusal import NotFound
from queries.epochs import require_held
from queries.exchange import Question, answer
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, LARGEST, Page, bad_cursor, page_of, read_key, write_cursor
from queries.progress import LOG
from queries.read_models import ActPlan, plan_of
from queries.reading import Freshness, Reading, fetch

_ORDER = ("d.at", "d.position", "d.projection")
_BACKWARDS = ", ".join(f"{column} desc" for column in _ORDER)
# Letters of tables that are not in use stand under the name of the projection and of the tables' schema.
_LIST = f"""
select split_part(d.projection, ':', 1) as projection, d.position, d.error, d.at, e.topic as type,
  e.originator_id as stream,
  coalesce(nullif(split_part(d.projection, ':', 2), ''), 'in_use') as tables,
  s.actor as skipped_by, s.reason as skip_reason, s.at as skipped_at
from dead_letters d left join stored_events e on e.notification_id = d.position
left join skipped_letters s on s.projection = d.projection and s.position = d.position
where {{where}} order by {_BACKWARDS} limit %(rows)s"""


class DeadLetterNotFound(NotFound):
    """The read model has no dead letter at this position."""

    code = "dead_letter_not_found"


class DeadLetterView(msgspec.Struct, frozen=True):
    """An event, by its position in the log, that a projection failed to apply. type, stream: of the event.

    tables: ``in_use``, or those not in use that lack the event: ``building``, ``previous``.
    skipped_by, skip_reason, skipped_at: of the operator who skipped it; None before.
    """

    projection: str
    position: int
    error: str
    at: datetime
    type: str | None = None
    tables: str = "in_use"
    stream: UUID | None = None
    skipped_by: str | None = None
    skip_reason: str | None = None
    skipped_at: datetime | None = None


def list_dead_letters(
    reading: Reading,
    *,
    projection: str | None = None,
    skipped: bool = False,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[DeadLetterView]:
    """Return dead letters, the newest first; of one `projection`. Default: of all.

    skipped: those that an operator has skipped. Default: the others. Raises BadCursor or NotYet."""
    place = None if cursor is None else _read_cursor(cursor, reading)
    return answer(reading, dead_letters_listed(projection, place, limit, skipped=skipped), min_position)


def dead_letters_listed(
    projection: str | None, before: tuple[datetime, int, str] | None, limit: int, *, skipped: bool = False
) -> Question[Page[DeadLetterView]]:
    """Return the question for dead letters, the newest first, as `list_dead_letters` lists them."""
    where = Where({"rows": limit + 1})
    if projection is not None:
        where.add("split_part(d.projection, ':', 1) = {}", projection)
    where.holds("s.at is not null" if skipped else "s.at is null")
    if before is not None:
        where.before(_ORDER, before)

    def view(rows: list[DictRow], freshness: Freshness) -> Page[DeadLetterView]:
        letters = [DeadLetterView(**row) for row in rows]
        return page_of(letters, limit, freshness, lambda row: _cursor(row, freshness.epoch))

    return Question(LOG, _LIST.format(where=where.sql), where.parameters, view)


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


def plan_retry(reading: Reading, projection: str, position: int) -> ActPlan:
    """Return what trying a dead letter again would do now. Raises DeadLetterNotFound."""
    get_dead_letter(reading, projection, position)
    return plan_of(reading, projection, "rebuild")


def plan_skip(reading: Reading, projection: str, position: int) -> ActPlan:
    """Return what skipping a dead letter would do. Raises DeadLetterNotFound."""
    found = get_dead_letter(reading, projection, position)
    if found.skipped_at is not None:
        return ActPlan("skip", None, 0, ["Nothing: the event is skipped already."])
    return ActPlan(
        "skip",
        None,
        0,
        [
            f"The rows of {projection} stay without event {position:,}, also after a rebuild that cannot digest it.",
            "The event no longer counts as a dead letter.",
        ],
    )


def _cursor(row: DeadLetterView, epoch: str | None) -> str:
    stored = row.projection if row.tables == "in_use" else f"{row.projection}:{row.tables}"
    return write_cursor("d", f"{row.at.astimezone(UTC).isoformat()} {row.position} {stored}", epoch)


def _read_cursor(cursor: str, reading: Reading) -> tuple[datetime, int, str]:
    key, epoch = read_key("d", cursor)
    parts = key.split(" ", 2)
    try:
        at, position, stored = parts
        instant, number = datetime.fromisoformat(at), int(position)
        if instant.tzinfo is None or not 0 <= number <= LARGEST:
            raise ValueError("no place of this list")
    except ValueError:
        raise bad_cursor() from None
    require_held(reading.progress, epoch, number)
    return instant, number, stored
