"""The part of the overview with what the reader's teams monitor."""

from typing import Annotated

import msgspec
from fastapi import Query

from edge.admitted import monitoring_teams
from edge.parameters import Values
from edge.principal import Principal
from queries.monitored import MonitoredItem, list_monitored
from queries.reading import Reading
from web.forms import PageParameters

SHOWN = 10
WORDS = {
    "failure": "failed",
    "timeout": "took too long",
    "heartbeat": "gave no sign of life",
    "approval": "waits beyond its deadline",
    "cost_alert": "reached a limit of its costs",
}


class OverviewParameters(PageParameters):
    """team: of what is monitored; default: the teams of the reader."""

    team: Annotated[Values, Query()] = []


class MonitoredPart(msgspec.Struct, frozen=True):
    """What is open. teams: those that can be chosen; chosen: the one that is, empty for all of them."""

    items: list[MonitoredItem]
    more: bool
    teams: list[str]
    chosen: str
    words: dict[str, str]


def monitored_by_reader(reading: Reading, caller: Principal, given: OverviewParameters) -> MonitoredPart | None:
    """Return what the teams of the reader monitor, or the stated ones; None for a reader without a team."""
    if not caller.teams and not given.team:
        return None
    teams = monitoring_teams(caller, given.team)
    found = list_monitored(reading, teams, within=caller.processes, limit=SHOWN)
    chosen = given.team[0] if len(given.team) == 1 else ""
    known = sorted(caller.teams | set(given.team))
    return MonitoredPart(list(found.items), found.next_cursor is not None, known, chosen, WORDS)
