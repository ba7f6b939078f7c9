"""Entries of inboxes that are too old: dropped some at a time, the oldest first, and never written again."""

from datetime import datetime
from typing import Any

from psycopg import Connection

BATCH = 1_000
HORIZON = "coalesce((select position from public.inbox_horizon), 0)"

_DROP = f"""with oldest as (
  select position from inbox_entries where at < %s and position in (
    select position from inbox_entries order by position limit {BATCH})),
dropped as (delete from inbox_entries using oldest where inbox_entries.position = oldest.position
  returning inbox_entries.position)
select count(*) as entries, max(position) as position from dropped"""
_MOVE = """insert into public.inbox_horizon (position) values (%s)
on conflict (id) do update set position = greatest(inbox_horizon.position, excluded.position)"""


def drop_entries(connection: Connection[Any], before: datetime) -> int:
    """Drop entries of events before an instant, at most BATCH; return how many. Building anew leaves them out, too."""
    with connection.transaction():
        row = connection.execute(_DROP, (before,)).fetchone()
        assert row is not None
        if row["entries"]:
            connection.execute(_MOVE, (row["position"],))
    dropped: int = row["entries"]
    return dropped
