"""Whether everything that follows the log has read it to its end: read models, and policies of workers."""

import psycopg

_SETTLED = """select coalesce((select min(notification_id) from notification_tracking), 0) >= e.position
  and coalesce((select min(position) from policy_positions), 0) >= e.position
from (select coalesce(max(notification_id), 0) as position from stored_events) e"""


def settled(dsn: str) -> bool:
    """Return whether a projector and a worker that run have nothing to read any more."""
    with psycopg.connect(dsn) as connection:
        (found,) = connection.execute(_SETTLED).fetchone() or (False,)
    return bool(found)
