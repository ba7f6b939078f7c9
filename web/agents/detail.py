"""One agent: its settings, where it is named, its latest steps; tried with a message, and retired."""

import functools
import json
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.agents import RegisterAgent, RetireAgent
from commands.trials import LONGEST_MESSAGE, AgentTrial, TrialAnswer
from domain.agents.secret_names import names_in, referring_texts
from domain.refusal import Problem
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.principal import Principal, cause_of, principal_of
from edge.references import agent_named
from edge.refusals import malformed
from edge.rehearsals import COMMANDS
from edge.scopes import READ, READ_CONFIGURATION, requires
from queries.agent_attempts import COUNTED, AgentAttempt, count_due, count_under_way, list_agent_attempts
from queries.agents import AgentDetail, get_agent
from queries.process_references import NamingSteps, list_references
from queries.reading import Reading, ReadModelRebuilding
from queries.role_drift import AgentDrift, get_agent_drift
from web.forms import PageParameters, carry_out, form_fields, long_form, required
from web.layout import page, reader_of

MAX_TRIAL = 1 << 20

router = APIRouter(prefix="/agents/{name}")


@router.get("", **requires(READ, listed=True))
def detail(
    name: str, request: Request, reading: Reads, caller: Caller, given: Annotated[PageParameters, Query()]
) -> Response:
    """Return the page of one agent."""
    found = _found(request, reading, caller, name, given.min_position)
    return _detail(request, reading, caller, found)


@router.post("/try", **requires(RegisterAgent.scope))
async def try_(name: str, request: Request, reading: Reads, caller: Caller) -> Response:
    """Call the agent with a message, and return its page with the answer."""
    fields = await long_form(request, MAX_TRIAL)
    message = fields.get("message", "")
    if not message.strip() or len(message) > LONGEST_MESSAGE:
        text = f"a message has 1 to {LONGEST_MESSAGE:,} characters"
        raise malformed([Problem("invalid_value", text, "message")])
    run = functools.partial(
        door_of(request).trials.run, agent_named(name), AgentTrial(message), principal_of(request).actor
    )
    tried = await anyio.to_thread.run_sync(run, limiter=COMMANDS)
    find = functools.partial(_found, request, reading, caller, name)
    found = await anyio.to_thread.run_sync(find)
    shown = functools.partial(_detail, request, reading, caller, found, message=message, tried=tried)
    return await anyio.to_thread.run_sync(shown)


@router.get("/retire", **requires(RetireAgent.scope))
def consequences(name: str, request: Request, reading: Reads, caller: Caller) -> Response:
    """Return the page that shows what retiring the agent would do, with the form that does it."""
    found = get_agent(reading, agent_named(name))
    return page(
        request,
        "retire.html",
        title=f"Retire {name}",
        nav="Agents",
        crumbs=[("Agents", "/agents"), (name, f"/agents/{name}"), ("Retire", None)],
        found=found,
        named=_named(reading, name, caller),
        due=count_due(reading, name),
        under_way=_under_way(reading, name),
        counted=COUNTED,
    )


@router.post("/retire", **requires(RetireAgent.scope))
async def retire(name: str, request: Request) -> Response:
    """Retire the agent, and return to its page."""
    fields = await form_fields(request, "reason")
    command = RetireAgent(agent_named(name), required(fields, "reason"))
    receipt = await carry_out(door_of(request).handlers.agents.retire, command, cause_of(request))
    return RedirectResponse(f"/agents/{name}?min_position={receipt.position}&done=retired", 303)


def _detail(
    request: Request,
    reading: Reading,
    caller: Principal,
    found: AgentDetail,
    message: str = "",
    tried: TrialAnswer | None = None,
) -> Response:
    shown = caller.may(READ_CONFIGURATION)
    config: dict[str, Any] = json.loads(bytes(found.config)) or {}
    return page(
        request,
        "agent.html",
        title=found.name,
        nav="Agents",
        freshness=found if tried is None else None,
        crumbs=[("Agents", "/agents"), (found.name, None)],
        found=found,
        settings=[(key, _worded(key, value)) for key, value in config.items() if key != "kind"] if shown else None,
        secrets=sorted(names_in(referring_texts(config).values())) if shown else [],
        named=_named(reading, found.name, caller),
        attempts=_attempts(reading, found.name, caller),
        drift=_drift(reading, found.name, caller),
        registers=caller.may(RegisterAgent.scope),
        message=message,
        tried=tried,
    )


def _worded(key: str, value: Any) -> Any:
    """Return a limit of the agent in words, and every other setting as it is."""
    if key == "rate" and value is not None:
        return f"{value['calls']:,} call{'' if value['calls'] == 1 else 's'} in {value['per']}"
    if key == "tokens" and value is not None:
        return f"{value['per_minute']:,} in a minute"
    return value


def _found(
    request: Request, reading: Reading, caller: Principal, name: str, min_position: int | None = None
) -> AgentDetail:
    """Return the agent, with its costs today on the clocks of the reader."""
    return get_agent(
        reading,
        agent_named(name),
        within=caller.processes,
        spent_from=reader_of(request).midnight,
        min_position=min_position,
    )


def _named(reading: Reading, name: str, caller: Principal) -> NamingSteps | None:
    """Return the steps that name the agent; None while this read model is built."""
    try:
        return list_references(reading, "agent", name, within=caller.processes)
    except ReadModelRebuilding:
        return None


def _drift(reading: Reading, name: str, caller: Principal) -> AgentDrift | None:
    try:
        return get_agent_drift(reading, name, within=caller.processes)
    except ReadModelRebuilding:
        return None


def _under_way(reading: Reading, name: str) -> int | None:
    try:
        return count_under_way(reading, name)
    except ReadModelRebuilding:
        return None


def _attempts(reading: Reading, name: str, caller: Principal) -> list[AgentAttempt] | None:
    try:
        return list_agent_attempts(reading, name, within=caller.processes)
    except ReadModelRebuilding:
        return None
