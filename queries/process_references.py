"""The steps of processes in use that name an agent or call a process."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec

from queries.filters import Where
from queries.reading import Reading, fetch

REFERENCES = "process_references"
MOST = 200

_LIST = """select p.process_id, p.name as process, r.version, r.step, r.role
from process_references r join process_catalogue p on p.process_id = r.process_id and p.latest_version = r.version
where {where} order by p.name, r.step, r.role limit %(rows)s"""

# Of each agent at most MOST + 1 steps are counted.
_COUNTS = f"""select n.name, count(*)::int as steps, count(distinct f.process_id)::int as processes
from unnest(%(names)s::text[]) as n(name) cross join lateral (
  select distinct r.process_id, r.step from process_references r
    join process_catalogue p on p.process_id = r.process_id and p.latest_version = r.version
  where r.kind = 'agent' and r.name = n.name and {{where}} limit {MOST + 1}) f
group by n.name"""


class Reference(msgspec.Struct, frozen=True):
    """A step of the latest version of a process that is not archived.

    role: ``executor``, ``monitor``, ``informed`` or ``compensation`` of an agent, ``called`` of a process.
    """

    process_id: UUID
    process: str
    version: int
    step: str
    role: str


class NamingSteps(msgspec.Struct, frozen=True):
    """The first MOST references by process and step. more: whether there are others."""

    items: list[Reference]
    more: bool


class NamedCount(msgspec.Struct, frozen=True):
    """How many steps of how many processes name an agent; more than MOST steps are not counted."""

    steps: int
    processes: int


def list_references(
    reading: Reading,
    kind: Literal["agent", "process"],
    name: str,
    *,
    within: tuple[str, ...] = (),
    min_position: int | None = None,
) -> NamingSteps:
    """Return the steps that name the agent, or call the process, `name`. within: visible processes.

    Raises NotYet or ReadModelRebuilding.
    """
    where = Where({"rows": MOST + 1})
    where.add("r.kind = {}", kind)
    where.add("r.name = {}", name)
    where.holds("p.status is distinct from 'archived'")
    where.within("p.name", within)
    with reading.of(REFERENCES, min_position) as (connection, _):
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
    return NamingSteps([Reference(**row) for row in rows[:MOST]], len(rows) > MOST)


def count_references(reading: Reading, agents: Sequence[str], *, within: tuple[str, ...] = ()) -> dict[str, NamedCount]:
    """Return how often the latest versions name each agent; agents that none names are absent.

    within: visible processes. Raises ReadModelRebuilding.
    """
    where = Where({"names": list(agents)})
    where.holds("p.status is distinct from 'archived'")
    where.within("p.name", within)
    with reading.of(REFERENCES) as (connection, _):
        rows = fetch(connection, _COUNTS.format(where=where.sql), where.parameters)
    return {row["name"]: NamedCount(row["steps"], row["processes"]) for row in rows}
