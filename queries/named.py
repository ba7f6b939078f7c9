"""Processes and agents whose name holds some text, for the search of the pages."""

import msgspec

from queries.agents import DIRECTORY
from queries.filters import Where, escaped
from queries.processes import CATALOGUE
from queries.reading import Reading, fetch

# A name that is the text comes first, then those that begin with it.
_FOUND = """select name, status, {text} from {table} where {{where}}
order by name = %(part)s desc, name like %(begins)s desc, name limit %(rows)s"""
_PROCESSES = _FOUND.format(text="coalesce(description, '') as text", table="process_catalogue")
_AGENTS = _FOUND.format(text="kind as text", table="agent_directory")


class NamedThing(msgspec.Struct, frozen=True):
    """A process or an agent. text: the description of a process, the kind of an agent."""

    name: str
    status: str
    text: str


def find_processes(reading: Reading, part: str, *, limit: int, within: tuple[str, ...] = ()) -> list[NamedThing]:
    """Return processes whose name holds `part`. within: names, or beginnings as ``claims-*``."""
    return _find(reading, CATALOGUE, _PROCESSES, part, limit, within)


def find_agents(reading: Reading, part: str, *, limit: int) -> list[NamedThing]:
    """Return agents whose name holds `part`."""
    return _find(reading, DIRECTORY, _AGENTS, part, limit)


def _find(
    reading: Reading, model: str, query: str, part: str, limit: int, within: tuple[str, ...] = ()
) -> list[NamedThing]:
    part = part.lower()
    where = Where({"rows": limit, "part": part, "begins": f"{escaped(part)}%"})
    where.add("name like {}", f"%{escaped(part)}%")
    where.within("name", within)
    with reading.of(model) as (connection, _):
        return [NamedThing(**row) for row in fetch(connection, query.format(where=where.sql), where.parameters)]
