"""The list of agents."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.agents import RegisterAgent
from edge.admitted import Caller
from edge.dependencies import Reads
from edge.scopes import READ, requires
from queries.agents import KINDS_LISTED, AgentFilter, list_agents
from queries.process_references import MOST, NamedCount, count_references
from queries.reading import Reading, ReadModelRebuilding
from web.forms import PageParameters
from web.layout import page

TABS = (("All", ""), ("In use", "active"), ("Retired", "retired"))
STATUSES = tuple(status for _, status in TABS if status)

router = APIRouter()


class AgentParameters(PageParameters):
    """status, kind: of the agents; empty or unknown: any."""

    status: str = ""
    kind: str = ""


@router.get("/agents", **requires(READ, listed=True))
def list_(request: Request, reading: Reads, caller: Caller, given: Annotated[AgentParameters, Query()]) -> Response:
    """Return the page of agents by name."""
    filter = AgentFilter(
        kinds=[given.kind] if given.kind in KINDS_LISTED else [],
        statuses=[given.status] if given.status in STATUSES else [],
    )
    found = list_agents(reading, filter, **given.page)
    return page(
        request,
        "agents.html",
        title="Agents",
        nav="Agents",
        freshness=found,
        items=found.items,
        named=_named(reading, [each.name for each in found.items], caller.processes),
        most=MOST,
        next_cursor=found.next_cursor,
        given=given,
        tabs=[(name, f"/agents?status={status}" if status else "/agents", status) for name, status in TABS],
        kinds=KINDS_LISTED,
        filtered=filter != AgentFilter(),
        registers=caller.may(RegisterAgent.scope),
    )


def _named(reading: Reading, agents: list[str], within: tuple[str, ...]) -> dict[str, NamedCount] | None:
    """Return how often each agent is named; None while this read model is built."""
    try:
        return count_references(reading, agents, within=within)
    except ReadModelRebuilding:
        return None
