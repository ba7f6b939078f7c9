"""Agents: register, try, retire; the directory."""

from functools import partial
from typing import Annotated

import anyio
import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.receipts import CommandReceipt, carry_out
from commands.agents import RegisterAgent, RetireAgent
from commands.trials import AgentTrial, TrialAnswer
from domain.agents.kinds import parse_agent
from edge.admitted import Caller
from edge.command_request import Commanded
from edge.dependencies import Reads
from edge.parameters import SEVERAL, Fresh, Paged, Values, one_of
from edge.principal import Principal, principal_of
from edge.references import agent_named
from edge.rehearsals import COMMANDS
from edge.scopes import READ_CONFIGURATION
from queries.agents import AgentDetail, AgentFilter, AgentView, get_agent, list_agents
from queries.paging import Page

STATUSES = ("active", "retired")

router = APIRouter(prefix="/agents", tags=["agents"])


class AgentReceipt(CommandReceipt, kw_only=True):
    """A command on an agent was carried out."""

    name: str


class CallRateBody(msgspec.Struct):
    """A rate of calls. per: a duration."""

    calls: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    per: str | float


class TokenRateBody(msgspec.Struct):
    """A rate of tokens."""

    per_minute: Annotated[int, msgspec.Meta(ge=1, le=10**12)]


class AgentBody(msgspec.Struct):
    """The configuration of the agent; further fields depend on its kind.

    max_open: how many calls of the agent all workers together have open at once. Default: each worker a share of its
    calls. rate: how many calls begin within any period of that length, as {calls: 60, per: 1m}; per is from 1s to 1d.
    tokens: how many tokens, input and output, its calls use in a minute. Default: any number.
    provider: of its model, as price tables name it. Default: by the host of its address, where that is a known one.
    """

    kind: str
    max_open: Annotated[int, msgspec.Meta(ge=1, le=10**9)] | None = None
    rate: CallRateBody | None = None
    tokens: TokenRateBody | None = None
    provider: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")] | None = None


class AgentFilters(Paged):
    """Filters of the agents."""

    name: Annotated[Values, Field(description=SEVERAL)] = []
    kind: Annotated[Values, Field(description=SEVERAL)] = []
    status: Annotated[Values, one_of(STATUSES), Field(description=", ".join(STATUSES))] = []


@router.put("/{name}", summary="Register an agent", **openapi.command(RegisterAgent, AgentReceipt, body=AgentBody))
async def register(name: str, request: Commanded) -> Response:
    """Register an agent, or change its configuration. The same registration again: a duplicate."""
    command = RegisterAgent(name, parse_agent(name, request.json_object()))
    return await carry_out(request, request.handlers.agents.register, command, AgentReceipt)


@router.post(
    "/{name}/try", summary="Try an agent", **openapi.command(RegisterAgent, TrialAnswer, 404, 503, body=AgentTrial)
)
async def try_(name: str, request: Commanded) -> Response:
    """Call the agent once with a message, as a worker would. Nothing is recorded but a line in the log."""
    trial, actor = request.read(AgentTrial), principal_of(request.request).actor
    run = partial(request.door.trials.run, agent_named(name), trial, actor)
    return view(await anyio.to_thread.run_sync(run, limiter=COMMANDS))


@router.delete("/{name}", summary="Retire an agent", **openapi.command(RetireAgent, AgentReceipt, 404))
async def retire(name: str, request: Commanded) -> Response:
    """Take the agent out of use. Again: a duplicate."""
    command = request.read(RetireAgent, name=name)
    return await carry_out(request, request.handlers.agents.retire, command, AgentReceipt)


@router.get("", summary="List agents", **openapi.query(Page[AgentView], listed=True))
def list_(reading: Reads, caller: Caller, filters: Annotated[AgentFilters, Query()]) -> Response:
    """List the agents by name, each with its answers in 24 hours."""
    requested = AgentFilter(names=filters.name, kinds=filters.kind, statuses=filters.status)
    found = list_agents(reading, requested, within=caller.processes, **filters.page)
    return view(msgspec.structs.replace(found, items=[_shown(agent, caller) for agent in found.items]))


@router.get("/{name}", summary="One agent", **openapi.query(AgentDetail, 404, listed=True))
def get(name: str, reading: Reads, caller: Caller, given: Annotated[Fresh, Query()]) -> Response:
    """Return the configuration of the agent, whether it is active, and its answers in 24 hours."""
    found = get_agent(reading, agent_named(name), within=caller.processes, min_position=given.min_position)
    return view(_shown(found, caller))


def _shown(agent: AgentView, caller: Principal) -> AgentView:
    """Return the agent, without its configuration for a caller that may not read it."""
    if caller.may(READ_CONFIGURATION):
        return agent
    return msgspec.structs.replace(agent, config=msgspec.Raw(b"null"))
