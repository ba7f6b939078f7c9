"""Facts about this installation in the database: its key, live workers, and dead letters."""

from datetime import datetime

import msgspec

from store.connections import Connections


def callback_key(connections: Connections) -> bytes:
    """Return the key that signs the tokens of agents that answer later, the same for every process."""
    with connections.reading() as connection:
        row = connection.execute("select value from installation_keys where name = 'callback'").fetchone()
    if row is None:
        raise LookupError("the database holds no callback key although it is migrated")
    return bytes(row["value"])


def live_workers(connections: Connections) -> int:
    """Return the number of workers whose lease has not run out."""
    with connections.reading() as connection:
        row = connection.execute("select count(*) as n from workers where lease_until > now()").fetchone()
    return int(row["n"]) if row else 0


class DeadLetter(msgspec.Struct, frozen=True):
    """An event, by its position in the log, that a projection failed to apply."""

    projection: str
    position: int
    error: str
    at: datetime


def dead_letters(connections: Connections, limit: int) -> list[DeadLetter]:
    """Return the newest dead letters."""
    query = "select projection, position, error, at from dead_letters order by at desc, position desc limit %s"
    with connections.reading() as connection:
        return [DeadLetter(**row) for row in connection.execute(query, (limit,)).fetchall()]
