"""Facts about this installation in the database: its key, and live workers."""

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
