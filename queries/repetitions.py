"""The stream of an execution without the events of items and rounds, of which there may be many thousand."""

ITEMS = "coalesce((select items from execution_repetitions where execution_id = %(id)s), '{}')"
"""The SQL of the numbers of the events of items."""
ITEMS_AND_ROUNDS = "coalesce((select items + rounds from execution_repetitions where execution_id = %(id)s), '{}')"
"""The SQL of the numbers of the events of items, and of those of rounds after the first one."""


def events_outside(numbers: str, condition: str, most: int) -> str:
    """Return the SQL of the newest `most` events of stream ``id``, up to ``position``, for which `condition` holds.

    numbers: the SQL of those that are passed over. No scan goes through them: the index gives each part between them.
    """
    # Each part has an order and a limit of its own, without which the server may scan the stream and then join.
    return f"""(
  select newest.* from unnest(int8multirange(int8range(1, null)) - {numbers}) as part
  cross join lateral (
    select * from stored_events
    where originator_id = %(id)s and originator_version >= lower(part)
      and originator_version < coalesce(upper(part), {2**63 - 1})
      and notification_id <= %(position)s and {condition}
    order by originator_version desc limit {most}) newest
  order by originator_version desc limit {most}) events"""
