"""The outcomes of the last days, by process."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec

from queries.reading import Reading, ReadModelRebuilding, fetch

DAYS = "process_days"
RECENT_DAYS = 31
"""30 complete days, and today."""

_OUTCOMES = """
with today as (select date_trunc('day', coalesce(%(now)s, now()), 'UTC') as day)
select d.process_id, sum(d.completed)::bigint as completed,
  greatest(sum(d.failed) - sum(d.retried), 0)::bigint as failed, sum(d.cancelled)::bigint as cancelled
from process_days d, today
where d.process_id = any(%(processes)s)
  and d.day > today.day - make_interval(hours => 24 * %(days)s) and d.day <= today.day
group by d.process_id"""


class RecentOutcomes(msgspec.Struct, frozen=True):
    """The numbers of executions that ended within some days. failed: without those that were retried."""

    completed: int
    failed: int
    cancelled: int

    @property
    def success_rate(self) -> float | None:
        """The part that completed of those that completed or failed, 0 to 1; None without any."""
        ended = self.completed + self.failed
        return self.completed / ended if ended else None


def summarise_outcomes(
    reading: Reading, processes: Collection[UUID], *, days: int = RECENT_DAYS, now: datetime | None = None
) -> dict[UUID, RecentOutcomes]:
    """Return the outcomes of the last `days` days in UTC, today included, of each process with any.

    now: default: the present. Raises ReadModelRebuilding.
    """
    with reading.of(DAYS) as (connection, _):
        rows = fetch(connection, _OUTCOMES, {"processes": list(processes), "days": days, "now": now})
    return {row.pop("process_id"): RecentOutcomes(**row) for row in rows}


def recent_outcomes(reading: Reading, processes: Collection[UUID]) -> dict[UUID, RecentOutcomes]:
    """Return the outcomes of 30 complete days and today by process; none while this read model is built."""
    try:
        return summarise_outcomes(reading, processes) if processes else {}
    except ReadModelRebuilding:
        return {}
