"""How many entries wait in the inboxes of several agents, from a bounded number of rows, in one query."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from domain.keys.scopes import matches
from domain.roles.effective import MONITOR
from queries.inbox.interests import Interest, acknowledged_positions, derived_interests, with_default_monitors
from queries.inbox.spans import PositionSpan, union
from queries.inbox.state import COUNTED
from queries.inbox.views import INBOX
from queries.paging import LARGEST
from queries.reading import Reading, fetch

LOOKUPS = 20_000
"""The most places of the index that one answer reads, shared by its agents."""
FILTERS = 50
"""Of an agent that changed its filter more often since it acknowledged, the entries up to there are counted."""

_ROLES = f"""select a.agent, r.* from unnest(%(agents)s::text[], %(afters)s::bigint[]) as a(agent, after)
cross join lateral (
  select process_id, process, step, role, from_position, coalesce(until_position, {LARGEST}) as until_position
  from inbox_roles where agent = a.agent and coalesce(until_position, {LARGEST}) > a.after limit %(most)s) r"""
_FILTERS = f"""select a.agent, f.* from unnest(%(agents)s::text[], %(afters)s::bigint[]) as a(agent, after)
cross join lateral (
  (select from_position, filter from inbox_filters where agent = a.agent and from_position <= a.after
    order by from_position desc limit 1)
  union all (select from_position, filter from inbox_filters where agent = a.agent and from_position > a.after
    order by from_position limit {FILTERS + 1})) f order by f.from_position"""
# An entry has one process, step and type: the places of an agent share none. Of labels, only what is read is counted.
_COUNT = f"""select a.agent, (select count(*) from (
  select from jsonb_to_recordset(a.places)
    as x(process_id uuid, step text, type text, lo bigint, hi bigint, labels text[])
  cross join lateral (select e.labels from inbox_entries e
    where e.process_id = x.process_id and e.step = x.step and e.type = x.type
      and e.position > x.lo and e.position < x.hi order by e.position limit {COUNTED + 1}) e
  where x.labels is null
    or exists (select from json_array_elements_text(e.labels) as label where label = any(x.labels))
  limit {COUNTED + 1}) found)::int as number
from jsonb_to_recordset(%(agents)s) as a(agent text, places jsonb)"""

_Places = list[dict[str, Any]]


class _Counted(msgspec.Struct, frozen=True):
    places: _Places
    cut: bool


class UnreadCount(msgspec.Struct, frozen=True):
    """The entries of an inbox that are not acknowledged. more: there may be more; not all were counted."""

    number: int
    more: bool


def count_unread(reading: Reading, agents: Sequence[str], *, within: Sequence[str] = ()) -> dict[str, UnreadCount]:
    """Return the number of unread entries of each agent that has a role. Raises ReadModelRebuilding.

    within: the processes that the caller sees; empty: all.
    """
    if not agents:
        return {}
    most = LOOKUPS // len(agents)
    with reading.of(INBOX) as (connection, _):
        counted = _counted(connection, agents, most, within)
        given = [{"agent": agent, "places": its.places[:most]} for agent, its in counted.items()]
        rows = fetch(connection, _COUNT, {"agents": Jsonb(given)}) if given else []
    return {row["agent"]: _count(row["number"], counted[row["agent"]].cut) for row in rows}


def _count(number: int, cut: bool) -> UnreadCount:
    return UnreadCount(min(number, COUNTED), cut or number > COUNTED)


def _counted(
    connection: Connection[DictRow], agents: Sequence[str], most: int, within: Sequence[str]
) -> dict[str, _Counted]:
    """Return what is to count of each agent that has a role in a visible process."""
    afters = acknowledged_positions(connection, agents)
    given = {"agents": [*afters], "afters": [*afters.values()], "most": most + 1}
    roles, filters = (_by_agent(fetch(connection, query, given)) for query in (_ROLES, _FILTERS))
    every = chain.from_iterable(roles.values())
    monitored = {str(row["process_id"]) for row in every if row["step"] and row["role"] == MONITOR}
    guarded = with_default_monitors(connection, monitored, always=False)
    found: dict[str, _Counted] = {}
    for agent, its in roles.items():
        visible = [row for row in its if not within or matches(within, row["process"])]
        if visible:
            of_agent = derived_interests(visible, filters.get(agent, []), guarded, afters[agent], most=FILTERS)
            places = _places_of(of_agent.items)
            found[agent] = _Counted(places, len(its) > most or len(places) > most or of_agent.until < LARGEST)
    return found


def _by_agent(rows: Sequence[dict[str, Any]]) -> Mapping[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["agent"], []).append(row)
    return found


def _places_of(interests: Sequence[Interest]) -> _Places:
    """Return the spans of positions by process, step, type and labels, each position once."""
    spans: dict[tuple[str, str, str, tuple[str, ...] | None], list[PositionSpan]] = {}
    for each in interests:
        labels = None if each.labels is None else tuple(each.labels)
        for type in each.types:
            spans.setdefault((each.process_id, each.step, type, labels), []).append((each.lo, each.hi))
    return [
        {"process_id": process_id, "step": step, "type": type, "labels": labels, "lo": lo, "hi": hi}
        for (process_id, step, type, labels), its in spans.items()
        for lo, hi in union(its)
    ]
