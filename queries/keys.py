"""Keys: the list, without their digests."""

from datetime import datetime
from uuid import UUID

import msgspec

from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, Page, bad_cursor, page_of, read_cursor, write_cursor
from queries.reading import Reading, fetch

KEY_LIST = "key_list"

_LIST = """select k.key_id, k.name, k.prefix, k.scopes, k.teams, k.processes, k.created_at, u.last_used_at,
  k.expires_at, k.revoked_at, k.revoked_reason
from key_list k left join key_uses u using (key_id)
where {where} order by k.key_id desc limit %(rows)s"""
_NAMES = ("scopes", "teams", "processes")


class KeyView(msgspec.Struct, frozen=True):
    """A key, without its secret. processes: names or patterns; empty: all. last_used_at: to the minute."""

    key_id: UUID
    name: str
    prefix: str
    scopes: list[str]
    teams: list[str]
    processes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_reason: str | None


def list_keys(
    reading: Reading,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[KeyView]:
    """Return keys, the newest first, revoked and expired ones too. Raises BadCursor or NotYet."""
    where = Where({"rows": limit + 1})
    where.add("k.key_id < {}", _read_id(cursor) if cursor is not None else None)
    with reading.of(KEY_LIST, min_position) as (connection, freshness):
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
    views = [KeyView(**row | {name: msgspec.json.decode(row[name], type=list[str]) for name in _NAMES}) for row in rows]
    return page_of(views, limit, freshness, lambda view: write_cursor("k", str(view.key_id)))


def _read_id(cursor: str) -> UUID:
    try:
        return UUID(read_cursor("k", cursor))
    except ValueError:
        raise bad_cursor() from None
