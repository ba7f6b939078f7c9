"""The bounds in bytes of what the store takes in one piece: an event, a decision, an append, a page."""

from collections.abc import Sequence
from typing import Any

# Rendering makes 4 MiB for a step at most, and an answer has 1 MiB before the event writes it as JSON.
LARGEST_EVENT = 8 << 20
# An answer, everything that one decision renders, and the constant texts of the steps that it begins.
LARGEST_UNIT = 64 << 20
# An execution at its bound still takes small answers.
SMALL_DECISION = 64 << 10
# An append takes further units until it has so much; PostgreSQL refuses a message of 1 GiB.
FULL_APPEND = 16 << 20
# A page of events ends with the event that reaches this.
FULL_PAGE = 16 << 20
# Events beyond this have an index of their own, so that a page finds its end without the sizes of all its events.
LARGE_EVENT = 4 << 10
# A query answers with so many bytes of documents, or with one that is larger.
FULL_ANSWER = 4 << 20


def page_query(where: str) -> str:
    """Return the query for rows (position, stream, version, topic, state), in order.

    The last row is the one that makes the page full; the server adds up the sizes of large events only. where: a
    condition on stored_events.
    """
    return f"""select notification_id, originator_id, originator_version, topic, state from stored_events
where {where} and notification_id <= coalesce((
  select min(notification_id) from (
    select notification_id, sum(octet_length(state)) over (order by notification_id) as bytes from stored_events
    where {where} and octet_length(state) > {LARGE_EVENT} order by notification_id limit {FULL_PAGE // LARGE_EVENT}
  ) large where bytes >= {FULL_PAGE}), {2**63 - 1})
order by notification_id"""


def is_full(rows: Sequence[tuple[Any, ...]], full: int = FULL_PAGE) -> bool:
    """Return whether rows (position, stream, version, topic, state) make a page full: the log may hold more."""
    return sum([len(row[4]) for row in rows]) >= full
