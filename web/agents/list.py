"""The list of agents."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.agents import RegisterAgent
from edge.admitted import Caller
from edge.dependencies import Reads
from edge.scopes import READ, READ_CONFIGURATION, requires
from queries.agents import KINDS_LISTED, AgentFilter, AgentView, list_agents
from queries.inbox.unread import UnreadCount, count_unread
from queries.process_references import MOST, NamedCount, count_references
from queries.reading import Reading, ReadModelRebuilding
from web.forms import PageParameters
from web.layout import page, reader_of

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
    found = list_agents(reading, filter, within=caller.processes, spent_from=reader_of(request).midnight, **given.page)
    return page(
        request,
        "agents.html",
        title="Agents",
        nav="Agents",
        freshness=found,
        items=found.items,
        models=_models(found.items) if caller.may(READ_CONFIGURATION) else {},
        named=_named(reading, [each.name for each in found.items], caller.processes),
        most=MOST,
        unread=_unread(reading, [each.name for each in found.items if caller.reads_inbox(each.name)], caller.processes),
        next_cursor=found.next_cursor,
        given=given,
        tabs=[(name, f"/agents?status={status}" if status else "/agents", status) for name, status in TABS],
        kinds=KINDS_LISTED,
        filtered=filter != AgentFilter(),
        registers=caller.may(RegisterAgent.scope),
    )


def _models(agents: Sequence[AgentView]) -> dict[str, str]:
    """Return the model of each agent that states one."""
    stated = {each.name: msgspec.json.decode(each.config).get("model") for each in agents}
    return {name: model for name, model in stated.items() if isinstance(model, str)}


def _named(reading: Reading, agents: list[str], within: tuple[str, ...]) -> dict[str, NamedCount] | None:
    """Return how often each agent is named; None while this read model is built."""
    try:
        return count_references(reading, agents, within=within)
    except ReadModelRebuilding:
        return None


def _unread(reading: Reading, agents: list[str], within: tuple[str, ...]) -> dict[str, UnreadCount]:
    """Return how many entries wait in the inboxes of the agents that have a role; none while that is built."""
    try:
        return count_unread(reading, agents, within=within)
    except ReadModelRebuilding:
        return {}
