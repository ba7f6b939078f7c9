"""The executions, and the cost alerts, that are set aside: those about which no decision succeeds."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from domain.executions.decisions.refusals import NotSetAside
from queries.exchange import Question, answer
from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, Page, bad_cursor, page_of, read_cursor, write_cursor
from queries.progress import LOG
from queries.reading import Freshness, Reading, fetch

_ORDER = ("since", "execution_id")
_LIST = f"""select execution_id, error, since, tries, next_try, kind from set_aside
where {{where}} order by {", ".join(_ORDER)} limit %(rows)s"""


class SetAsideView(msgspec.Struct, frozen=True):
    """An execution that is set aside. error: of the last try. tries: how many failed. next_try: its time.

    kind: `execution`; or `cost_alert`, an alert that is set aside, whose id `execution_id` then is.
    """

    execution_id: UUID
    error: str
    since: datetime
    tries: int
    next_try: datetime
    kind: str = "execution"


def list_set_aside(
    reading: Reading,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[SetAsideView]:
    """Return the executions and alerts that are set aside, the longest first. Raises BadCursor or NotYet."""
    return answer(reading, set_aside_listed(cursor, limit), min_position)


def set_aside_listed(cursor: str | None, limit: int) -> Question[Page[SetAsideView]]:
    """Return the question for what is set aside, the longest first. Raises BadCursor."""
    where = Where({"rows": limit + 1})
    if cursor is not None:
        where.beyond(_ORDER, _read_cursor(cursor))

    def view(rows: list[DictRow], freshness: Freshness) -> Page[SetAsideView]:
        return page_of([SetAsideView(**row) for row in rows], limit, freshness, _cursor)

    return Question(LOG, _LIST.format(where=where.sql), where.parameters, view)


def get_set_aside(reading: Reading, execution_id: UUID) -> SetAsideView:
    """Return one execution, or alert, that is set aside. Raises NotSetAside."""
    where = Where({"rows": 1})
    where.add("execution_id = {}", execution_id)
    with reading.log() as (connection, _):
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
    if not rows:
        raise NotSetAside(f"execution {execution_id} is not set aside")
    return SetAsideView(**rows[0])


def count_set_aside(reading: Reading) -> int:
    """Return how many executions and alerts are set aside. Raises Outage."""
    with reading.datastore.reading() as connection:
        return int(fetch(connection, "select count(*) as count from set_aside")[0]["count"])


def _cursor(row: SetAsideView) -> str:
    return write_cursor("s", f"{row.since.astimezone(UTC).isoformat()} {row.execution_id}")


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    since, _, id = read_cursor("s", cursor).partition(" ")
    try:
        at = datetime.fromisoformat(since)
        if at.tzinfo is None:
            raise ValueError("a time without a zone")
        return at, UUID(id)
    except ValueError:
        raise bad_cursor() from None
