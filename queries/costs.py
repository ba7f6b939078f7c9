"""Uses: those without a price, and those of one model in a period."""

from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from queries.exchange import Question
from queries.reading import Freshness, Reading, fetch

COSTS = "costs"
MOST_USES = 10_000
"""So many of the newest uses without a price are counted."""
MOST_REPRICED = 1_000
"""So many uses are priced anew at once."""

_UNPRICED = f"""select provider, model, flags::text as flags, count(*)::int as count,
  count(distinct execution_id)::int as executions, sum(input_tokens)::bigint as input_tokens,
  sum(output_tokens)::bigint as output_tokens, min(called_at) as first_at, max(called_at) as last_at,
  (array_agg(execution_id order by position desc))[1] as execution_id,
  (array_agg(step order by position desc))[1] as step, (array_agg(agent order by position desc))[1] as agent
from (select * from call_costs where amount is null order by position desc limit {MOST_USES}) newest
group by provider, model, flags::text order by count(*) desc, provider, model limit 200"""
_COUNT_UNPRICED = """select count(*)::int as n from (
  select from call_costs where amount is null order by position desc limit %s) newest"""
_OF_MODEL = """select execution_id, recorded from call_costs
where model = lower(%(model)s) and called_at >= %(begin)s and called_at < %(end)s
  and (%(provider)s::text is null or provider = lower(%(provider)s)) and price_source is distinct from 'reported'
order by called_at, execution_id, recorded limit %(rows)s"""


class UnpricedUse(msgspec.Struct, frozen=True):
    """Uses of one model that no price applies to, for the same reasons. execution_id, step, agent: of the last one."""

    provider: str | None
    model: str | None
    flags: list[str]
    count: int
    executions: int
    input_tokens: int
    output_tokens: int
    first_at: datetime
    last_at: datetime
    execution_id: UUID
    step: str
    agent: str


class UnpricedUses(msgspec.Struct, frozen=True):
    """Uses without a price, those of the most calls first. count: of all of them. complete: these are all."""

    items: list[UnpricedUse]
    count: int
    complete: bool
    as_of_position: int
    lag_seconds: float


class UsesOfModel(msgspec.Struct, frozen=True):
    """Uses by execution: the versions of their events. complete: whether they are all."""

    uses: dict[UUID, list[int]]
    complete: bool


def list_unpriced(reading: Reading, *, min_position: int | None = None) -> UnpricedUses:
    """Return the uses without a price by model and reason, from the newest ten thousand. Raises NotYet."""
    with reading.of(COSTS, min_position) as (connection, freshness):
        rows = fetch(connection, _UNPRICED, ())
    items = [
        UnpricedUse(
            **row
            | {
                "provider": row["provider"] or None,
                "model": row["model"] or None,
                "flags": msgspec.json.decode(row["flags"], type=list[str]),
            }
        )
        for row in rows
    ]
    count = sum(item.count for item in items)
    return UnpricedUses(items, count, count < MOST_USES, freshness.as_of_position, freshness.lag_seconds)


def unpriced_counted(most: int) -> Question[int]:
    """Return the question for the number of uses without a price, at most `most`."""

    def view(rows: list[DictRow], _: Freshness) -> int:
        return int(rows[0]["n"])

    return Question(COSTS, _COUNT_UNPRICED, (most,), view)


def find_uses(reading: Reading, model: str, begin: datetime, end: datetime, provider: str | None) -> UsesOfModel:
    """Return the uses of a model in a period whose cost no agent reported, as of now. Raises NotYet."""
    with reading.log() as (_, newest):
        position = newest.as_of_position
    given = {"model": model, "begin": begin, "end": end, "provider": provider, "rows": MOST_REPRICED + 1}
    with reading.of(COSTS, position) as (connection, _):
        rows = fetch(connection, _OF_MODEL, given)
    uses: dict[UUID, list[int]] = {}
    for row in rows[:MOST_REPRICED]:
        uses.setdefault(row["execution_id"], []).append(row["recorded"])
    return UsesOfModel(uses, len(rows) <= MOST_REPRICED)
