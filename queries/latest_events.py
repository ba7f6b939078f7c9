"""The newest event of each of some executions."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from queries.exchange import Question
from queries.progress import LOG
from queries.reading import Freshness
from store.arrays import uuids

# One look-up by the key for each execution.
_LATEST = """select e.originator_id, e.topic, e.state from unnest(%s::uuid[]) as x(id)
cross join lateral (select originator_id, topic, state from stored_events
  where originator_id = x.id order by originator_version desc limit 1) e"""


class _Stated(msgspec.Struct, frozen=True):
    at: datetime
    step: str | None = None


# Of an event of any release, these alone.
_decode = msgspec.json.Decoder(_Stated).decode


class LatestEvent(msgspec.Struct, frozen=True):
    """An event that no other one of its execution followed yet. step: empty for none."""

    type: str
    at: datetime
    step: str


def latest_events(execution_ids: Sequence[UUID]) -> Question[dict[UUID, LatestEvent]]:
    """Return the question for the newest event of each execution, by its id."""

    def view(rows: list[DictRow], _: Freshness) -> dict[UUID, LatestEvent]:
        return {row["originator_id"]: _view(row["topic"], row["state"]) for row in rows}

    return Question(LOG, _LATEST, (uuids(execution_ids),), view)


def _view(topic: str, state: bytes) -> LatestEvent:
    stated = _decode(state)
    return LatestEvent(topic, stated.at, stated.step or "")
