"""How long executions of a process usually take: from the last that completed."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from queries.estimates import ENOUGH, NEWEST, RUNS
from queries.reading import Reading, fetch

_USUAL = f"""select count(*)::int as n,
  percentile_disc(0.5) within group (order by duration) as median from (
    select extract(epoch from ended_at - started_at)::float8 as duration from (
      (select status, started_at, ended_at, position from execution_list where process_id = %(process)s and body is null
        order by position desc limit {NEWEST})
      union
      (select status, started_at, ended_at, started_position from archived_executions
        where process_id = %(process)s and not body order by started_position desc limit {NEWEST})
      order by position desc limit {NEWEST}) newest
    where status = 'completed' order by position desc limit {RUNS}) completed"""


class LikelyEnd(msgspec.Struct, frozen=True):
    """The instant at which an execution ends if it takes the median time of the last `n` that completed."""

    at: datetime
    n: int


def likely_end(reading: Reading, process_id: UUID, started_at: datetime) -> LikelyEnd | None:
    """Return the likely end of an execution; None with fewer than 5 to go by."""
    with reading.of("execution_list") as (connection, _):
        (row,) = fetch(connection, _USUAL, {"process": process_id})
    if row["n"] < ENOUGH:
        return None
    return LikelyEnd(started_at + timedelta(seconds=row["median"]), row["n"])
