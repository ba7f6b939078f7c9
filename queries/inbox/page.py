"""A page of an inbox: the entries after a cursor that are of interest to the agent, in the order of the log."""

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from domain.inbox.concerns import RETRIABLE
from queries.inbox.catching_up import catch_up
from queries.inbox.interests import Interest, acknowledged_position, interests_of
from queries.inbox.scanning import bounded
from queries.inbox.views import INBOX, InboxPage, InboxPlace, entry_view, read_held_place
from queries.paging import DEFAULT_LIMIT
from queries.reading import Freshness, Reading, fetch

# An index look-up for each interest and type, at most a page of positions each, then the rows of the first positions.
_POSITIONS = """select found.position, min(x.role) as role
  from jsonb_to_recordset(%(interests)s) as x(process_id uuid, step text, role text, types text[], lo bigint, hi bigint,
    labels text[])
  cross join lateral unnest(x.types) as t(type)
  cross join lateral (
    select e.position from inbox_entries e
    where e.process_id = x.process_id and e.step = x.step and e.type = t.type
      and e.position > x.lo and e.position < x.hi
      and (x.labels is null
        or exists (select from json_array_elements_text(e.labels) as label where label = any(x.labels)))
    order by e.position limit %(rows)s) found
  group by found.position order by found.position limit %(rows)s"""
_HORIZON = "select coalesce(max(position), 0) as position from inbox_horizon"
_ENTRIES = f"""with chosen as materialized ({_POSITIONS})
select e.*, c.role from chosen c cross join lateral (select * from inbox_entries e where e.position = c.position) e
order by e.position"""


def get_inbox(
    reading: Reading,
    agent: str,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    from_position: int | None = None,
    within: Sequence[str] = (),
    min_position: int | None = None,
) -> InboxPage:
    """Return the entries of an agent after `cursor`; default: after what it has acknowledged.

    from_position: instead of a cursor, read events after that position out of the log by the present roles and filter.
    within: the processes that the caller sees; empty: all. Raises AgentNotFound, BadCursor, NotYet or Forbidden.
    """
    with reading.of(INBOX, min_position) as (connection, freshness):
        acknowledged = acknowledged_position(connection, agent)
        place = InboxPlace(acknowledged) if cursor is None else read_held_place(reading, cursor)
        if from_position is not None and cursor is None:
            place = InboxPlace(from_position, freshness.as_of_position)
        if place.position < place.until:
            return catch_up(connection, agent, place, limit, freshness, within)
        return _page(connection, agent, place, limit, freshness, within)


def _page(
    connection: Connection[DictRow],
    agent: str,
    place: InboxPlace,
    limit: int,
    freshness: Freshness,
    within: Sequence[str],
) -> InboxPage:
    interests = bounded(connection, interests_of(connection, agent, place.position, within=within))
    rows = select_entries(connection, interests.items, limit + 1)
    rows = [row for row in rows if _is_settled(row, freshness.as_of_position)]
    items = [entry_view(agent, row, row["role"]) for row in rows[:limit]]
    has_more = len(rows) > limit or interests.until <= freshness.as_of_position
    horizon = fetch(connection, _HORIZON)[0]["position"]
    truncated = any(each.lo < horizon for each in interests.items)
    after = place.position
    if items:
        after = items[-1].position
    elif has_more:
        after = interests.until - 1
    cursor = InboxPlace(after, epoch=freshness.epoch).cursor
    return InboxPage(items, cursor, has_more, truncated, freshness.as_of_position, freshness.lag_seconds)


def select_entries(connection: Connection[DictRow], interests: Sequence[Interest], rows: int) -> list[dict[str, Any]]:
    """Return the first `rows` entries that are of interest, each once, with the role."""
    if not interests:
        return []
    given = Jsonb(msgspec.to_builtins(interests))
    return fetch(connection, _ENTRIES, {"interests": given, "rows": rows})


def _is_settled(row: dict[str, Any], as_of: int) -> bool:
    """Return whether the row is final: what follows a failure directly may say that a retry comes."""
    position: int = row["position"]
    return position < as_of or (position == as_of and row["type"] not in RETRIABLE)
