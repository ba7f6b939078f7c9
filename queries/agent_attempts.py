"""The latest steps that an agent carried out, and its steps that are due or under way."""

from datetime import datetime
from uuid import UUID

import msgspec

from queries.filters import Where
from queries.process_references import REFERENCES
from queries.reading import Reading, fetch

DETAIL = "execution_detail"
MOST = 20
COUNTED = 1_000
# Bounded while it is made: the newest executions of the processes that name the agent, and their steps.
_RECENT = """
with named as (select distinct process_id from process_references where kind = 'agent' and name = %(agent)s limit 50),
recent as (
  select l.execution_id, l.process, l.position
  from named cross join lateral (
    select e.execution_id, e.process, e.position from execution_list e
    where e.process_id = named.process_id and {where} order by e.position desc limit 50) l
  order by l.position desc limit 200)
select r.execution_id, r.process, s.step, s.status, s.attempt, s.scheduled_at, s.started_at, s.ended_at,
  s.error ->> 'code' as error_code
from recent r join execution_steps s using (execution_id)
where s.agent = %(agent)s and s.status is not null
order by coalesce(s.ended_at, s.started_at, s.scheduled_at) desc nulls last, r.execution_id, s.step
limit %(rows)s"""
_WAITING = "select count(*) as count from (select 1 from due_steps where agent = %s limit %s) as found"

NEWEST_UNDER_WAY = 20_000
# The newest executions under way are read by the index of their status.
_UNDER_WAY = f"""
select count(*) as count from (
  select 1 from (
    select e.process_id, e.version from execution_list e
    where e.status in ('queued', 'running', 'compensating') order by e.position desc limit {NEWEST_UNDER_WAY}) l
  where exists (
    select from process_references r
    where r.kind = 'agent' and r.name = %s and r.process_id = l.process_id and r.version = l.version)
  limit %s) as found"""


class AgentAttempt(msgspec.Struct, frozen=True):
    """The last attempt of a step that the agent carries out. error_code: None unless it failed."""

    execution_id: UUID
    process: str
    step: str
    status: str
    attempt: int | None
    scheduled_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    error_code: str | None

    @property
    def duration(self) -> float | None:
        """The seconds of work, None while it lasts."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


def list_agent_attempts(reading: Reading, agent: str, *, within: tuple[str, ...] = ()) -> list[AgentAttempt]:
    """Return at most MOST steps, the latest first, of the newest executions of processes that name the agent.

    within: visible processes. Raises ReadModelRebuilding.
    """
    where = Where({"agent": agent, "rows": MOST})
    where.within("e.process", within)
    with reading.of(DETAIL) as (connection, _):
        rows = fetch(connection, _RECENT.format(where=where.sql), where.parameters)
    return [AgentAttempt(**row) for row in rows]


def count_due(reading: Reading, agent: str) -> int:
    """Return how many attempts of the agent are due or under way; COUNTED + 1 means more than COUNTED."""
    with reading.datastore.reading() as connection:
        return int(fetch(connection, _WAITING, (agent, COUNTED + 1))[0]["count"])


def count_under_way(reading: Reading, agent: str) -> int:
    """Return how many executions under way run a version that names the agent, of the newest NEWEST_UNDER_WAY.

    COUNTED + 1 means more than COUNTED. Raises ReadModelRebuilding.
    """
    with reading.of(REFERENCES) as (connection, _):
        return int(fetch(connection, _UNDER_WAY, (agent, COUNTED + 1))[0]["count"])
