"""The agents that have answered for the steps of a process within some days, in fact."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from queries.analytics.rollups import ANALYTICS
from queries.reading import Reading, fetch

DAYS = 30
MOST = 2_000
_STEPS = """
select r.version, r.step, r.agent, coalesce(sum(r.n) filter (where r.code = ''), 0)::bigint as completed,
  coalesce(sum(r.n) filter (where r.code <> ''), 0)::bigint as failed, max(r.last_at) as last_at
from analytics_answers r
where r.process_id = %(process)s and r.grain = 1440
  and r.begins > date_trunc('day', now(), 'UTC') - make_interval(hours => 24 * (%(days)s + 1))
group by r.version, r.step, r.agent
order by r.version desc, r.step, r.agent limit %(rows)s"""


class StepAnswers(msgspec.Struct, frozen=True):
    """The attempts of a step in a version that were with an agent and ended. last_at: of the latest."""

    version: int
    step: str
    agent: str
    completed: int
    failed: int
    last_at: datetime


def list_step_answers(reading: Reading, process_id: UUID, *, days: int = DAYS) -> list[StepAnswers]:
    """Return who answered for which step of a process in `days` complete days and today, in UTC; MOST rows at most.

    The drift of roles compares these rows with the executors that are assigned: an agent that has answered for a step
    and is not its executor is drift, unless an operator reassigned the step, which the log of the execution shows; an
    executor without a row has not answered. Latest version first, then by step and agent. The answers of an agent move
    in with the page that holds the end of the attempt, while the execution still runs. Raises ReadModelRebuilding.
    """
    with reading.of(ANALYTICS) as (connection, _):
        return fetch_step_answers(connection, process_id, days=days)


def fetch_step_answers(connection: Connection[Any], process_id: UUID, *, days: int = DAYS) -> list[StepAnswers]:
    """Return the same on a connection that is open."""
    parameters = {"process": process_id, "days": days, "rows": MOST}
    return [StepAnswers(**row) for row in fetch(connection, _STEPS, parameters)]
