"""The part of the overview with what the reader's teams monitor."""

from typing import Annotated

import msgspec
from fastapi import Query

from edge.admitted import monitoring_teams
from edge.parameters import Values
from edge.principal import Principal
from queries.exchange import Question
from queries.monitored import MonitoredItem, monitored_listed
from queries.paging import Page
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


def monitored_by_reader(caller: Principal, given: OverviewParameters) -> Question[Page[MonitoredItem]] | None:
    """Return the question for what the teams of the reader monitor, or the stated ones; None: it has no team."""
    if not caller.teams and not given.team:
        return None
    return monitored_listed(monitoring_teams(caller, given.team), caller.processes, None, SHOWN)


def monitored_part(found: Page[MonitoredItem], caller: Principal, given: OverviewParameters) -> MonitoredPart:
    """Return the part of the page."""
    chosen = given.team[0] if len(given.team) == 1 else ""
    known = sorted(caller.teams | set(given.team))
    return MonitoredPart(list(found.items), found.next_cursor is not None, known, chosen, WORDS)
