"""The agents that the newest outcome of each step concerns, and how far they have read their inboxes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from domain.inbox.concerns import TYPES
from domain.inbox.filters import EVERYTHING_BY_ROLE, InboxFilter
from queries.inbox.interests import acknowledged_positions
from queries.reading import fetch

NAMED = 5
_TYPES = sorted(each for each in TYPES if each.startswith("Step"))

# An index look-up for each step and type; then those of the agents with a role at that position, by the key.
_NEWEST = """select x.n, e.position, e.type, e.outcome, e.at, e.process, e.labels
from unnest(%(processes)s::uuid[], %(steps)s::text[]) with ordinality as x(process_id, step, n)
cross join lateral (
  select i.* from unnest(%(types)s::text[]) as t(type)
  cross join lateral (select * from inbox_entries l
    where l.process_id = x.process_id and l.step = x.step and l.type = t.type order by l.position desc limit 1) i
  order by i.position desc limit 1) e"""
_HOLDERS = """select x.n, r.agent, r.role, r.holders
from unnest(%(ns)s::int[], %(processes)s::uuid[], %(steps)s::text[], %(positions)s::bigint[])
  as x(n, process_id, step, position)
cross join lateral (select agent, role, count(*) over () as holders from inbox_roles h
  where h.process_id = x.process_id and h.step = x.step
    and h.from_position < x.position and (h.until_position is null or h.until_position > x.position)
  order by agent limit %(named)s) r"""
_FILTERS = """select x.n, x.agent, f.filter
from unnest(%(ns)s::int[], %(agents)s::text[], %(positions)s::bigint[]) as x(n, agent, position)
cross join lateral (select filter from inbox_filters i where i.agent = x.agent and i.from_position < x.position
  order by i.from_position desc limit 1) f"""
_DELIVERED = """select agent, max(position) as position from (
  select agent, position from inbox_deliveries where agent = any(%(agents)s)
  union all select agent, position from inbox_webhooks where agent = any(%(agents)s) and verified_at is not null) d
group by agent"""


class NotifiedAgent(msgspec.Struct, frozen=True):
    """An agent that has a role in a step. state: of the entry about the step's newest outcome.

    ``acknowledged``, ``delivered`` or ``pending``; ``filtered``: by its role and its filter it has no such entry;
    ``unregistered``: there is no such agent.
    """

    agent: str
    role: str
    state: str


class StepNotified(msgspec.Struct, frozen=True):
    """The newest outcome of a step about which inboxes have an entry. agents: the first five by name, of `holders`."""

    position: int
    type: str
    outcome: str
    at: datetime
    holders: int
    agents: list[NotifiedAgent]


def fetch_notified(
    connection: Connection[Any], steps: Iterable[tuple[UUID, str]]
) -> dict[tuple[UUID, str], StepNotified]:
    """Return who is notified of each step that has an entry: five queries, however many steps."""
    keys = list(dict.fromkeys(steps))
    given = {"processes": [id for id, _ in keys], "steps": [step for _, step in keys], "types": _TYPES}
    newest = {row["n"] - 1: row for row in fetch(connection, _NEWEST, given)}
    if not newest:
        return {}
    holders = fetch(
        connection,
        _HOLDERS,
        {
            "ns": list(newest),
            "processes": [keys[n][0] for n in newest],
            "steps": [keys[n][1] for n in newest],
            "positions": [row["position"] for row in newest.values()],
            "named": NAMED,
        },
    )
    agents = sorted({row["agent"] for row in holders})
    acknowledged = acknowledged_positions(connection, agents)
    delivered = {row["agent"]: row["position"] for row in fetch(connection, _DELIVERED, {"agents": agents})}
    filters = _filters(connection, holders, newest)
    found: dict[tuple[UUID, str], StepNotified] = {}
    for n, row in newest.items():
        of_step = [each for each in holders if each["n"] == n]
        named = []
        for each in of_step:
            agent, role = each["agent"], each["role"]
            filter = filters.get((n, agent), EVERYTHING_BY_ROLE)
            if agent not in acknowledged:
                state = "unregistered"
            elif not _concerns(filter, role, row, keys[n][1]):
                state = "filtered"
            elif acknowledged[agent] >= row["position"]:
                state = "acknowledged"
            else:
                state = "delivered" if delivered.get(agent, 0) >= row["position"] else "pending"
            named.append(NotifiedAgent(agent, role, state))
        count = of_step[0]["holders"] if of_step else 0
        found[keys[n]] = StepNotified(row["position"], row["type"], row["outcome"], row["at"], count, named)
    return found


def _filters(
    connection: Connection[Any], holders: Sequence[dict[str, Any]], newest: dict[int, dict[str, Any]]
) -> dict[tuple[int, str], InboxFilter]:
    given = {
        "ns": [each["n"] for each in holders],
        "agents": [each["agent"] for each in holders],
        "positions": [newest[each["n"]]["position"] for each in holders],
    }
    rows = fetch(connection, _FILTERS, given) if holders else []
    return {(row["n"], row["agent"]): msgspec.json.decode(row["filter"], type=InboxFilter) for row in rows}


def _concerns(filter: InboxFilter, role: str, row: dict[str, Any], step: str) -> bool:
    labels: list[str] = msgspec.json.decode(row["labels"])
    permits = filter.permits(row["process"], step) and row["type"] in filter.types_for(role)
    return permits and filter.passes(row["outcome"], labels)
