"""The present use that agents make of their limits, for all workers together, and how long they are paused."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow

from domain.agents.limits import LimitUse
from queries.reading import Reading, fetch

_USED = """
select l.agent, l.use, (
    select count(*) from due_steps d where d.agent = l.agent and d.limited and d.owner is not null) as open,
  case when l.free_at > now() then l.free_at end as next_call_at,
  case when l.paused_until > now() then l.paused_until end as paused_until
from agent_limits l where l.agent = any(%s)"""
# A row for each agent that has limits, or was paused once.
PAUSED = "(select count(*) from agent_limits where paused_until > now())"
_decode = msgspec.json.Decoder(LimitUse).decode


class AgentLimitUse(msgspec.Struct, frozen=True):
    """The present use that an agent makes of its limits.

    open: its calls under way that were claimed under limits, of all workers. next_call_at: when rate and tokens admit
    the next call; null: now. paused_until: as its ``Retry-After`` says; null: it is not paused. tokens_per_call: the
    median of its last 20 calls, which the next one reserves; null: not known.
    """

    open: int
    next_call_at: datetime | None
    paused_until: datetime | None
    tokens_per_call: int | None


def read_limit_uses(connection: Connection[DictRow], agents: Sequence[str]) -> dict[str, AgentLimitUse]:
    """Return the use of those of `agents` that have limits, or were paused once."""
    found = {}
    for row in fetch(connection, _USED, (list(agents),)):
        recent = _decode(row["use"]).recent
        tokens = round(median(recent)) if recent else None
        found[row["agent"]] = AgentLimitUse(row["open"], row["next_call_at"], row["paused_until"], tokens)
    return found


def count_paused_agents(reading: Reading) -> int:
    """Return how many agents no worker calls for a time, as their ``Retry-After`` says. Raises Outage."""
    with reading.progress.main.reading() as connection:
        return int(fetch(connection, f"select {PAUSED} as count")[0]["count"])
