"""The answers of an agent in 24 hours: how many went well, how many failed, and how long they took."""

from statistics import median_low

import msgspec

from queries.agent_attempts import DETAIL
from queries.filters import Where
from queries.process_references import REFERENCES
from queries.reading import Reading, ReadModelRebuilding, fetch

LIST = "execution_list"
PROCESSES = 50
NEWEST = 500  # executions of a process
MOST = 2_000  # executions
# Bounded while it is made: the newest executions of the processes that name the agent, and their steps.
_ANSWERS = f"""
with named as (
  select distinct process_id from process_references where kind = 'agent' and name = %(agent)s limit {PROCESSES}),
recent as (
  select l.execution_id, l.position from named cross join lateral (
    select e.execution_id, e.position, e.last_at from execution_list e
    where e.process_id = named.process_id and {{where}} order by e.position desc limit {NEWEST}) l
  where l.last_at >= now() - interval '24 hours' order by l.position desc limit {MOST})
select s.status = 'completed' as well, extract(epoch from s.ended_at - s.started_at)::float8 as seconds
from recent r join execution_steps s using (execution_id)
where s.agent = %(agent)s and s.status in ('completed', 'failed', 'timed_out')
  and s.ended_at >= now() - interval '24 hours'"""


class AgentAnswers(msgspec.Struct, frozen=True):
    """Steps whose last attempt ended in the last 24 hours, of the newest executions: at most 500 of each process.

    failed: by a time limit too. median: of the seconds with the agent, where it completed; None without any.
    """

    completed: int
    failed: int
    median: float | None


def summarise_answers(reading: Reading, agent: str, *, within: tuple[str, ...] = ()) -> AgentAnswers | None:
    """Return the answers of an agent; None while a read model that they rest on is built. within: visible processes."""
    where = Where({"agent": agent})
    where.within("e.process", within)
    try:
        with reading.of(DETAIL, beside=(REFERENCES, LIST)) as (connection, _):
            rows = fetch(connection, _ANSWERS.format(where=where.sql), where.parameters)
    except ReadModelRebuilding:
        return None
    took = [row["seconds"] for row in rows if row["well"] and row["seconds"] is not None]
    completed = sum(row["well"] for row in rows)
    return AgentAnswers(completed, len(rows) - completed, median_low(took) if took else None)
