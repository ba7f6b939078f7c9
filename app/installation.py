"""What the database knows of this installation: its key, live workers, and dead letters."""

from datetime import datetime

import msgspec

from store.datastore import Datastore


def callback_key(datastore: Datastore) -> bytes:
    """The key that signs the tokens of agents that answer later; every process of the installation has the same."""
    with datastore.reading() as connection:
        row = connection.execute("select value from installation_keys where name = 'callback'").fetchone()
    if row is None:
        raise LookupError("the database holds no callback key although it is migrated")
    return bytes(row["value"])


def live_workers(datastore: Datastore) -> int:
    """How many workers have given a sign of life within their lease."""
    with datastore.reading() as connection:
        row = connection.execute("select count(*) as n from workers where lease_until > now()").fetchone()
    return int(row["n"]) if row else 0


class DeadLetter(msgspec.Struct, frozen=True):
    """An event, by its position in the log, that a projection could not digest."""

    projection: str
    position: int
    error: str
    at: datetime


def dead_letters(datastore: Datastore, limit: int) -> list[DeadLetter]:
    """The newest dead letters."""
    query = "select projection, position, error, at from dead_letters order by at desc, position desc limit %s"
    with datastore.reading() as connection:
        return [DeadLetter(**row) for row in connection.execute(query, (limit,)).fetchall()]
