"""The moments of an execution: the place of one event in its stream, and the positions around it."""

from collections.abc import Collection
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from domain.refusal import NotFound
from queries.exchange import Question, answer
from queries.execution_detail import DETAIL
from queries.paging import LARGEST
from queries.progress import LOG
from queries.reading import Freshness, Reading
from queries.repetitions import ITEMS, events_outside
from store.arrays import texts

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
# A read model may be ahead of a log that has lost events, until a rebuild; then the event before stands for its own.
_OF_POSITION = _PLACE.format(
    one="""e.notification_id = coalesce(
  (select notification_id from stored_events where originator_id = %(id)s and notification_id = %(at)s),
  (select notification_id from stored_events where originator_id = %(id)s and notification_id <= %(at)s
    order by originator_version desc limit 1))"""
)
_OF_EVENT = _PLACE.format(one="e.originator_version = least(%(at)s, l.originator_version)")

MOST_MARKED = 5_000
"""A stream of more events, those of items aside, has no marks: finding them takes longer than a page may."""
_EVENTS = "(select max(originator_version) from stored_events where originator_id = %(id)s)"
_MARKS = f"""
select min(originator_version) as event, topic as type
from {events_outside(ITEMS, "topic = any(%(types)b)", MOST_MARKED)}
where {_EVENTS} - (select coalesce(sum(upper(run) - lower(run)), 0) from unnest({ITEMS}) run) <= {MOST_MARKED}
group by topic, width_bucket(originator_version, 1, {_EVENTS} + 1, %(places)s) order by 1 limit %(most)s"""


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


def moment_of_position(execution_id: UUID, position: int) -> Question[StreamMoment]:
    """Return the question for the place of the event at `position`, else of the last one before it; or NotFound."""
    return _moment(_OF_POSITION, execution_id, position)


def moment_of_event(reading: Reading, execution_id: UUID, event: int) -> StreamMoment:
    """Return the place of an event by its number, of the newest one if there are fewer. Raises NotFound."""
    return answer(reading, _moment(_OF_EVENT, execution_id, event))


def marks_of_stream(execution_id: UUID, types: Collection[str], places: int) -> Question[list[StreamMark]]:
    """Return the question for the events of `types`, in order: of each type the first in each of `places` parts."""
    stated = {"id": execution_id, "types": texts(list(types)), "places": places, "most": 4 * places}

    def view(rows: list[DictRow], _: Freshness) -> list[StreamMark]:
        return [StreamMark(**row) for row in rows]

    return Question(LOG, _MARKS, stated | {"position": LARGEST}, view, (DETAIL,))


def _moment(query: str, execution_id: UUID, at: int) -> Question[StreamMoment]:
    def view(rows: list[DictRow], _: Freshness) -> StreamMoment:
        if not rows:
            raise NotFound(f"there is no such event of execution {execution_id}")
        return StreamMoment(**rows[0])

    return Question(LOG, query, {"id": execution_id, "at": at}, view)
