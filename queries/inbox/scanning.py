"""How far one page scans: a filter of labels that seldom matches must not make it read all of a long inbox."""

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from queries.inbox.interests import Interest, Interests
from queries.reading import fetch

SCANNED = 20_000
"""The most entries that a page reads and leaves out; shared by its interests, of which each reads a hundred."""
LEAST = 100
# The position at which an interest has read its share, by the index alone.
_BOUND = """select min(found.position) as position
from jsonb_to_recordset(%(interests)s) as x(process_id uuid, step text, types text[], lo bigint, hi bigint)
cross join lateral unnest(x.types) as t(type)
cross join lateral (select e.position from inbox_entries e
  where e.process_id = x.process_id and e.step = x.step and e.type = t.type and e.position > x.lo and e.position < x.hi
  order by e.position offset %(share)s limit 1) found"""


def bounded(connection: Connection[DictRow], interests: Interests) -> Interests:
    """Return the interests up to where one page scans. Without labels every entry that is read is part of the page."""
    labelled = [each for each in interests.items if each.labels is not None]
    if not labelled:
        return interests
    share = max(LEAST, SCANNED // sum(len(each.types) for each in labelled))
    given = {"interests": Jsonb(msgspec.to_builtins(labelled)), "share": share}
    position = fetch(connection, _BOUND, given)[0]["position"]
    return interests if position is None else before(interests, position + 1)


def before(interests: Interests, until: int) -> Interests:
    """Return the interests in events before a position."""
    items = [_ending(each, until) for each in interests.items if each.lo + 1 < until]
    return Interests(items, min(interests.until, until))


def _ending(interest: Interest, until: int) -> Interest:
    return interest if interest.hi <= until else msgspec.structs.replace(interest, hi=until)
