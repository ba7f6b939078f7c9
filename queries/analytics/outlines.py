"""The outline of each process: how many executions ended and failed, by day or by some days, for a small line."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from domain.analytics.windows import AnalyticsDay
from queries.analytics.requests import FiguresRequest
from queries.analytics.rollups import FiguresSource, rollups

MOST = 31
"""So many points at most: 30 days and today are one each; of a longer window a point is some days together."""


class OutlinePoint(msgspec.Struct, frozen=True):
    """Some days from `day` on, and the executions that ended within them."""

    day: AnalyticsDay
    ended: int = 0
    failed: int = 0


def summarise_outlines(
    source: FiguresSource, request: FiguresRequest, process_ids: Sequence[UUID]
) -> dict[UUID, list[OutlinePoint]]:
    """Return the points of each process, in order; all of one length, but for the first, which may be shorter."""
    days = request.window.days
    length = -(-len(days) // MOST)
    first = len(days) % length
    parts = [days[:first]] if first else []
    parts += [days[n : n + length] for n in range(first, len(days), length)]
    filter = msgspec.structs.replace(request.filter, process_ids=tuple(process_ids))
    found = {id: [OutlinePoint(part[0]) for part in parts] for id in process_ids}
    if not process_ids:
        return found
    with rollups(source, filter) as (sums, _):
        rows = sums.outcomes([*(part[0].begin for part in parts), request.window.end])
    for row in rows:
        points = found.get(row["process_id"], [])
        for period, ended, failed in zip(row["periods"], row["ended"], row["failed"], strict=True):
            points[period] = OutlinePoint(parts[period][0], ended, failed)
    return found
