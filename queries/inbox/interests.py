"""The events that are of interest to an agent: its roles in their time, cut by its filters in theirs."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow

from domain.identity import acknowledgements_id, agent_id
from domain.inbox.concerns import ALERT, OF_NO_STEP, TYPES
from domain.inbox.filters import EVERYTHING_BY_ROLE, InboxFilter
from domain.keys.scopes import matches
from domain.refusal import AgentNotFound, Forbidden
from domain.roles.effective import MONITOR
from queries.inbox.spans import PositionSpan, union, without
from queries.paging import LARGEST
from queries.reading import fetch
from store.mapper import decode

MOST_ROLES = 20_000
MOST_FILTERS = 500

_ROLES = """select process_id, process, step, role, from_position,
  coalesce(until_position, %(largest)s) as until_position
from inbox_roles where agent = %(agent)s and coalesce(until_position, %(largest)s) > %(after)s limit %(most)s"""
_FILTERS = """(select from_position, filter from inbox_filters where agent = %(agent)s and from_position <= %(after)s
  order by from_position desc limit 1)
union all (select from_position, filter from inbox_filters where agent = %(agent)s and from_position > %(after)s
  order by from_position limit %(most)s) order by from_position"""
# The monitors in the defaults of a process stand at an empty step.
_DEFAULTS = """select process_id, from_position, coalesce(until_position, %(largest)s) as until_position
from inbox_roles where process_id = any(%(processes)s::uuid[]) and step = ''
  and (not %(always)s or until_position is null)"""
_OWN = """select originator_id, topic, state from stored_events e
where originator_id = any(%s) and originator_version = (
  select max(originator_version) from stored_events l where l.originator_id = e.originator_id)"""


class Interest(msgspec.Struct, frozen=True):
    """Events of a step of a process, of these types, at positions between `lo` and `hi`. step: empty for none.

    types: each type has one outcome, so that a filter of outcomes leaves types out.
    """

    process_id: str
    step: str
    role: str
    types: list[str]
    lo: int
    hi: int
    labels: list[str] | None = None


class Interests(msgspec.Struct, frozen=True):
    """The interests of an agent in events after a position, and before `until`, up to where filters are read."""

    items: list[Interest]
    until: int


def acknowledged_position(connection: Connection[DictRow], agent: str) -> int:
    """Return the position up to which the agent has acknowledged; 0 for none. Raises AgentNotFound."""
    found = acknowledged_positions(connection, [agent])
    if agent not in found:
        raise AgentNotFound(f"there is no agent {agent!r}", agent=agent)
    return found[agent]


def acknowledged_positions(connection: Connection[DictRow], agents: Sequence[str]) -> dict[str, int]:
    """Return the same for several agents by name, those that are not registered left out."""
    own, acknowledged = ({of(each): each for each in agents} for of in (agent_id, acknowledgements_id))
    rows = {row["originator_id"]: row for row in fetch(connection, _OWN, ([*own, *acknowledged],))}
    found = {agent: 0 for id, agent in own.items() if id in rows}
    for id, agent in acknowledged.items():
        if id in rows and agent in found:
            found[agent] = decode(rows[id]["topic"], rows[id]["state"]).until  # type: ignore[attr-defined]
    return found


def interests_of(
    connection: Connection[DictRow], agent: str, after: int, *, within: Sequence[str] = (), always: bool = False
) -> Interests:
    """Return what is of interest to an agent after a position.

    within: the processes that the caller sees; empty: all. always: the roles that the agent has now, and its present
    filter, hold for all positions. Raises Forbidden for an agent with more roles than an inbox takes.
    """
    given = {"agent": agent, "after": LARGEST - 1 if always else after, "largest": LARGEST}
    roles = fetch(connection, _ROLES, {**given, "most": MOST_ROLES + 1})
    if len(roles) > MOST_ROLES:
        message = f"the agent {agent!r} has more than {MOST_ROLES} roles; a group of agents is of more use"
        raise Forbidden(message, code="too_many_roles")
    filters = fetch(connection, _FILTERS, {**given, "most": MOST_FILTERS + 1})
    monitored = {str(row["process_id"]) for row in roles if row["step"] and row["role"] == MONITOR}
    guarded = with_default_monitors(connection, monitored, always=always)
    return derived_interests(roles, filters, guarded, after, within=within, always=always)


def derived_interests(
    roles: Sequence[dict[str, Any]],
    filters: list[dict[str, Any]],
    guarded: Mapping[str, Sequence[PositionSpan]],
    after: int,
    *,
    within: Sequence[str] = (),
    always: bool = False,
    most: int = MOST_FILTERS,
) -> Interests:
    """Return the interests that roles and filters give. guarded: when processes have monitors in their defaults.

    most: of the filters after the position; further ones end the interests.
    """
    later = sum(row["from_position"] > after for row in filters)
    until = LARGEST
    if later > most:
        until, filters = filters[-1]["from_position"] + 1, filters[:-1]
    segments = list(_segments(filters, always=always))
    items: list[Interest] = []
    of_processes: dict[tuple[str, str, int], list[PositionSpan]] = {}
    by_default: dict[tuple[str, int], list[PositionSpan]] = {}
    for row in roles:
        process, id, role = row["process"], str(row["process_id"]), row["role"]
        if within and not matches(within, process):
            continue
        for n, (begin, end, filter) in enumerate(segments):
            lo = after if always else max(after, begin, row["from_position"])
            hi = min(end, until, row["until_position"])
            if hi - lo < 2:
                continue
            if row["step"] and filter.permits(process, row["step"]):
                items += _interest(id, row["step"], role, filter.types_for(role), filter, lo, hi)
            if filter.permits(process, ""):
                spans = (
                    of_processes.setdefault((id, role, n), []) if row["step"] else by_default.setdefault((id, n), [])
                )
                spans.append((lo, hi))
    for (id, role, n), spans in of_processes.items():
        filter, merged = segments[n][2], union(spans)
        alerted = without(merged, guarded.get(id, ())) if role == MONITOR else merged
        types = filter.types_for(role)
        for part, held in (([t for t in types if t != ALERT], merged), ([t for t in types if t == ALERT], alerted)):
            items += [each for lo, hi in held for each in _interest(id, "", role, part, filter, lo, hi)]
    for (id, n), spans in by_default.items():
        filter = segments[n][2]
        alert = [each for each in filter.types_for(MONITOR) if each == ALERT]
        items += [each for lo, hi in union(spans) for each in _interest(id, "", MONITOR, alert, filter, lo, hi)]
    return Interests(items, until)


def _segments(filters: Sequence[dict[str, Any]], *, always: bool) -> Iterable[tuple[int, int, InboxFilter]]:
    """Return (from, until, filter): the filters that hold one after the other."""
    known = [(row["from_position"], msgspec.json.decode(row["filter"], type=InboxFilter)) for row in filters]
    if always:
        return [(0, LARGEST, known[-1][1] if known else EVERYTHING_BY_ROLE)]
    ends = [(-1, EVERYTHING_BY_ROLE), *known, (LARGEST, EVERYTHING_BY_ROLE)]
    return [(begin, end, filter) for (begin, filter), (end, _) in pairwise(ends)]


def with_default_monitors(
    connection: Connection[DictRow], processes: Iterable[str], *, always: bool
) -> dict[str, list[PositionSpan]]:
    """Return when processes have monitors in their defaults: alerts concern these, and not those of single steps."""
    found: dict[str, list[PositionSpan]] = {}
    given = {"processes": list(processes), "largest": LARGEST, "always": always}
    for row in fetch(connection, _DEFAULTS, given) if given["processes"] else ():
        span = (-1, LARGEST) if always else (row["from_position"], row["until_position"])
        found.setdefault(str(row["process_id"]), []).append(span)
    return found


def _interest(
    process_id: str, step: str, role: str, types_of_role: Iterable[str], filter: InboxFilter, lo: int, hi: int
) -> Iterable[Interest]:
    types = [each for each in types_of_role if (each in OF_NO_STEP) == (not step)]
    if filter.outcomes:
        types = [each for each in types if TYPES[each] in filter.outcomes]
    if types:
        yield Interest(process_id, step, role, types, lo, hi, filter.labels or None)
