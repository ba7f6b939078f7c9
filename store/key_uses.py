"""When each key was last used: kept beside the log, to the minute."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from store import arrays
from store.datastore import Datastore

RECORD = """insert into key_uses (key_id, last_used_at) select * from unnest(%b, %b)
on conflict (key_id) do update set last_used_at = greatest(key_uses.last_used_at, excluded.last_used_at)"""


def record_uses(datastore: Datastore, uses: Mapping[UUID, datetime]) -> None:
    """Record that keys were used at these times."""
    with datastore.reading() as connection, connection.transaction():
        connection.execute("set local synchronous_commit = off")  # no request waits for the disk, or for a standby
        connection.execute(RECORD, (arrays.uuids(list(uses)), arrays.timestamptzs(list(uses.values()))))
