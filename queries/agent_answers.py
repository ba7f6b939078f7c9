"""The answers of agents in 24 hours: how many went well, how many failed and why, their times and their costs."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from psycopg import Connection

from domain.analytics.covers import cover
from domain.analytics.grains import QUARTER, minutes_of
from queries.amounts import Amount
from queries.analytics.rollups import ANALYTICS
from queries.analytics.totals import MICROSECONDS, SketchTotal, written
from queries.filters import Where
from queries.reading import Reading, ReadModelRebuilding, fetch

CATALOGUE = "process_catalogue"
A_DAY = timedelta(hours=24)
MOST_REASONS = 5
# Each agent and each range of spans is one scan of the index.
_SPANS = """from unnest(%(agents)s::text[]) as a(agent)
cross join unnest(%(grains)s::int[], %(begins)s::timestamptz[], %(ends)s::timestamptz[]) as p(grain, begins, ends)
cross join lateral (
  select * from {table} r where r.agent = a.agent and r.grain = p.grain
    and r.begins >= p.begins and r.begins < p.ends and {where} offset 0) r"""
_ANSWERS = f"""
select agent, coalesce(sum(n) filter (where code = ''), 0)::bigint as completed,
  coalesce(sum(n) filter (where code <> ''), 0)::bigint as failed, max(last_at) as last_at,
  (array_agg(code order by n desc, code) filter (where code <> ''))[:{MOST_REASONS}] as codes,
  (array_agg(n order by n desc, code) filter (where code <> ''))[:{MOST_REASONS}] as counts,
  string_agg(sketch, ''::bytea) filter (where code = '') as sketch
from (
  select a.agent, r.code, sum(r.n)::bigint as n, max(r.last_at) as last_at, string_agg(r.sketch, ''::bytea) as sketch
  {{spans}} group by a.agent, r.code) found
group by agent"""
_SPENT = "select a.agent, r.currency, sum(r.amount) as amount {spans} group by a.agent, r.currency order by r.currency"


class AnswerFailures(msgspec.Struct, frozen=True):
    """Attempts that failed with an error code."""

    code: str
    count: int


class AgentAnswers(msgspec.Struct, frozen=True):
    """Attempts that were with the agent and ended in the last 24 hours, by its answer or by a time limit; all of them.

    The 24 hours begin at a quarter of an hour. failed: by a time limit too; reasons: the five most frequent errors.
    median: of the seconds with the agent, where it completed, within 1.1 %; None without any. last_at: of the latest.
    cost: of the calls that began in this time, by currency.
    """

    completed: int
    failed: int
    median: float | None
    reasons: list[AnswerFailures] = []
    cost: list[Amount] = []
    last_at: datetime | None = None


def summarise_answers(
    reading: Reading, agents: Sequence[str], *, within: tuple[str, ...] = (), spent_from: datetime | None = None
) -> dict[str, AgentAnswers] | None:
    """Return the answers of each agent with any; None while a read model that they rest on is built.

    within: visible processes. spent_from: the costs are those since then. Default: those of the 24 hours.
    """
    try:
        with reading.of(ANALYTICS, beside=(CATALOGUE,)) as (connection, _):
            now = fetch(connection, "select now() as at")[0]["at"]
            answers = _read(connection, "analytics_answers", _ANSWERS, agents, within, now - A_DAY, now)
            spent = _read(
                connection, "analytics_agent_spending", _SPENT, agents, within, spent_from or now - A_DAY, now
            )
    except ReadModelRebuilding:
        return None
    costs: dict[str, list[Amount]] = {}
    for row in spent:
        if row["amount"]:
            costs.setdefault(row["agent"], []).append(Amount(written(row["amount"]), row["currency"]))
    found = {row["agent"]: _answers(row, costs.get(row["agent"], [])) for row in answers}
    return {agent: AgentAnswers(0, 0, None, cost=cost) for agent, cost in costs.items()} | found


def _read(
    connection: Connection[Any],
    table: str,
    query: str,
    agents: Sequence[str],
    within: tuple[str, ...],
    begin: datetime,
    now: datetime,
) -> list[dict[str, Any]]:
    ranges = cover(begin, now + QUARTER)
    where = Where(
        {
            "agents": list(agents),
            "grains": [minutes_of(each.grain) for each in ranges],
            "begins": [each.begin for each in ranges],
            "ends": [each.end for each in ranges],
        }
    )
    where.of_visible("r.process_id", within)
    spans = _SPANS.format(table=table, where=where.sql)
    return fetch(connection, query.format(spans=spans), where.parameters)


def _answers(row: Mapping[str, Any], cost: list[Amount]) -> AgentAnswers:
    sketch = SketchTotal()
    sketch.add(row["sketch"] or b"")
    [median] = sketch.quantiles(0.5)
    reasons = zip(row["codes"] or (), row["counts"] or (), strict=True)
    return AgentAnswers(
        completed=row["completed"],
        failed=row["failed"],
        median=None if median is None else median / MICROSECONDS,
        reasons=[AnswerFailures(code, count) for code, count in reasons],
        cost=cost,
        last_at=row["last_at"],
    )
