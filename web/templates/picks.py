"""The values that the fields of a template offer: agents, processes, zones and currencies by name."""

from domain.calendar.zones import zone_names
from edge.principal import Principal
from queries.named import find_agents, find_processes
from queries.reading import Reading
from web.wording import SYMBOLS

MOST = 200


def picks_for(reading: Reading, caller: Principal, lists: set[str]) -> dict[str, list[str]]:
    """Return the values of each of the lists that a form names."""
    found: dict[str, list[str]] = {}
    if "agents" in lists:
        agents = find_agents(reading, "", limit=MOST)
        found["agents"] = [each.name for each in agents if each.status == "active"]
    if "processes" in lists:
        processes = find_processes(reading, "", limit=MOST, within=caller.processes)
        found["processes"] = [each.name for each in processes if each.status == "published"]
    if "zones" in lists:
        found["zones"] = sorted(name for name in zone_names() if "/" in name)
    if "currencies" in lists:
        found["currencies"] = list(SYMBOLS)
    return found
