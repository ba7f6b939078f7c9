"""The moments of an execution: the place of one event in its stream, and the positions around it."""

from collections.abc import Collection
from uuid import UUID

import msgspec

from domain.refusal import NotFound
from queries.execution_detail import DETAIL
from queries.paging import LARGEST
from queries.progress import LOG
from queries.reading import Reading, fetch
from queries.repetitions import ITEMS, events_outside

_PLACE = """
select e.originator_version as event, e.notification_id as position,
  (select notification_id from stored_events where originator_id = %(id)s
    and originator_version = e.originator_version - 1) as before,
  (select notification_id from stored_events where originator_id = %(id)s
    and originator_version = e.originator_version + 1) as after,
  l.originator_version as events, l.notification_id as last
from stored_events e, (select originator_version, notification_id from stored_events where originator_id = %(id)s
  order by originator_version desc limit 1) l
where e.originator_id = %(id)s and {one}"""
_OF_POSITION = _PLACE.format(one="e.notification_id = %(at)s")
_OF_EVENT = _PLACE.format(one="e.originator_version = least(%(at)s, l.originator_version)")

MOST_MARKED = 5_000
"""A stream of more events, those of items aside, has no marks: finding them takes longer than a page may."""
_MARKS = f"""
select min(originator_version) as event, topic as type
from {events_outside(ITEMS, "topic = any(%(types)s)", MOST_MARKED)}
where %(events)s - (select coalesce(sum(upper(run) - lower(run)), 0) from unnest({ITEMS}) run) <= {MOST_MARKED}
group by topic, width_bucket(originator_version, 1, %(events)s + 1, %(places)s) order by 1 limit %(most)s"""


class StreamMark(msgspec.Struct, frozen=True):
    """An event of a stream, by its number, and its stored name."""

    event: int
    type: str


class StreamMoment(msgspec.Struct, frozen=True):
    """An event of a stream. event: its number, from 1 to `events`. before, after: positions of its neighbours.

    last: the position of the newest event.
    """

    event: int
    position: int
    before: int | None
    after: int | None
    events: int
    last: int


def moment_of_position(reading: Reading, execution_id: UUID, position: int) -> StreamMoment:
    """Return the place of the event at `position` in the stream of an execution. Raises NotFound."""
    return _moment(reading, _OF_POSITION, execution_id, position)


def moment_of_event(reading: Reading, execution_id: UUID, event: int) -> StreamMoment:
    """Return the place of an event by its number, of the newest one if there are fewer. Raises NotFound."""
    return _moment(reading, _OF_EVENT, execution_id, event)


def list_marks(
    reading: Reading, execution_id: UUID, types: Collection[str], *, events: int, places: int
) -> list[StreamMark]:
    """Return events of `types` in a stream of `events`, in order: of each type the first in each of `places` parts."""
    stated = {"id": execution_id, "types": list(types), "events": events, "places": places, "most": 4 * places}
    stated["position"] = LARGEST
    with reading.of(LOG, beside=(DETAIL,)) as (connection, _):
        return [StreamMark(**row) for row in fetch(connection, _MARKS, stated)]


def _moment(reading: Reading, query: str, execution_id: UUID, at: int) -> StreamMoment:
    with reading.log() as (connection, _):
        rows = fetch(connection, query, {"id": execution_id, "at": at})
    if not rows:
        raise NotFound(f"there is no such event of execution {execution_id}")
    return StreamMoment(**rows[0])
