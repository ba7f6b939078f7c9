"""Up to where the inbox of each agent was delivered: kept beside the log."""

from datetime import datetime

from store.datastore import Datastore

RECORD = """insert into inbox_deliveries (agent, position, delivered_at) values (%s, %s, %s)
on conflict (agent) do update set position = greatest(inbox_deliveries.position, excluded.position),
  delivered_at = excluded.delivered_at where inbox_deliveries.position < excluded.position"""


def record_delivery(datastore: Datastore, agent: str, position: int, at: datetime) -> None:
    """Record that entries of an agent up to a position were delivered; one of before changes nothing."""
    with datastore.reading() as connection:
        connection.execute(RECORD, (agent, position, at))
