"""Agents: register, retire; the directory."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.bodies import json_object, read_body
from api.carrying_out import carry_out
from api.fields import Fields
from api.parameters import NO_PARAMETERS, AgentsAsked, Fresh
from api.receipts import AgentAnswered, AgentBody, ReasonBody
from commands.agents import RegisterAgent, RetireAgent
from domain.agents.kinds import AGENT_NAME, parse_agent
from domain.refusal import NotFound
from queries.agents import AgentDetail, AgentFilter, AgentView, get_agent, list_agents
from queries.paging import Page

router = APIRouter(prefix="/agents", tags=["agents"])


@router.put(
    "/{name}",
    dependencies=[NO_PARAMETERS],
    summary="Register an agent",
    **openapi.command(AgentAnswered, 200, body=AgentBody, required=True),
)
async def register(name: str, request: Request) -> Response:
    """Make an agent known, or change how it is called. The same again: a duplicate."""
    body = await read_body(request)
    command = RegisterAgent(name, parse_agent(name, json_object(request, body)))
    agents = request.app.state.services.agents
    return await carry_out(request, body, lambda cause, identified: agents.register(command, cause, identified))


@router.delete(
    "/{name}",
    dependencies=[NO_PARAMETERS],
    summary="Retire an agent",
    **openapi.command(AgentAnswered, 200, 404, body=ReasonBody),
)
async def retire(name: str, request: Request) -> Response:
    """It takes no more work. Again: a duplicate."""
    body = await read_body(request)
    fields = Fields(json_object(request, body), "reason")
    reason = fields.text("reason")
    fields.check()
    command = RetireAgent(_known(name), reason or "")
    agents = request.app.state.services.agents
    return await carry_out(request, body, lambda cause, identified: agents.retire(command, cause, identified))


@router.get("", summary="List agents", **openapi.query(Page[AgentView]))
def list_(request: Request, asked: Annotated[AgentsAsked, Query()]) -> Response:
    """By name."""
    wanted = AgentFilter(names=asked.name, kinds=asked.kind, statuses=asked.status)
    return view(list_agents(request.app.state.services.reading, wanted, **asked.page))


@router.get("/{name}", summary="One agent", **openapi.query(AgentDetail, 404))
def get(name: str, request: Request, asked: Annotated[Fresh, Query()]) -> Response:
    """How it is called, and whether it still is."""
    return view(get_agent(request.app.state.services.reading, _known(name), min_position=asked.min_position))


def _known(name: str) -> str:
    if not AGENT_NAME.fullmatch(name):
        raise NotFound("there is no such agent")
    return name
