"""The form that registers an agent, or changes its configuration."""

import functools
import json
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.agents import RegisterAgent
from domain.agents.kinds import parse_agent
from domain.refusal import Malformed, Problem
from edge.dependencies import Reads, door_of
from edge.principal import cause_of
from edge.references import agent_named
from edge.scopes import requires
from queries.agents import get_agent
from web.agents.fields import FIELDS, controls_of, read_configuration, texts_of
from web.controls import unplaced
from web.forms import PageParameters, carry_out, long_form
from web.layout import page

# No agent has this name.
PATH = "/agents/-/register"
MAX_REGISTRATION = 2 << 20

router = APIRouter()


class RegistrationParameters(PageParameters):
    """kind: of the new agent. name: of one whose configuration is changed."""

    kind: str = "http"
    name: Annotated[str, Query(max_length=64)] = ""


@router.get(PATH, **requires(RegisterAgent.scope))
def form(request: Request, reading: Reads, given: Annotated[RegistrationParameters, Query()]) -> Response:
    """Return the form of a kind, or of an agent that is changed."""
    if not given.name:
        return _form(request, given.kind if given.kind in FIELDS else "http", {}, [], changed="", code=200)
    found = get_agent(reading, agent_named(given.name))
    config = {"name": found.name, "max_open": found.max_open, **json.loads(bytes(found.config))}
    return _form(request, found.kind, texts_of(config), [], changed=found.name, code=200)


@router.post(PATH, **requires(RegisterAgent.scope))
async def register(request: Request) -> Response:
    """Register the agent, and go to its page; or return the form with every problem at its field."""
    given = await long_form(request, MAX_REGISTRATION)
    kind = given.pop("kind", "")
    kind = kind if kind in FIELDS else "http"
    name = given.get("name", "").strip()
    config, problems = read_configuration(kind, given)
    try:
        canonical = parse_agent(name, config)
        if problems:
            raise Malformed(problems[0].message, [])
        command = RegisterAgent(name, canonical)
        receipt = await carry_out(door_of(request).handlers.agents.register, command, cause_of(request))
    except Malformed as malformed:
        broken = {each.path for each in problems}
        found = [*problems, *(each for each in malformed.problems if each.path not in broken)]
        changed = given.get("changed", "")
        again = functools.partial(_form, request, kind, given, found, changed=changed, code=422)
        return await anyio.to_thread.run_sync(again)
    return RedirectResponse(f"/agents/{name}?min_position={receipt.position}&done=registered", 303)


def _form(
    request: Request, kind: str, given: dict[str, str], problems: list[Problem], *, changed: str, code: int
) -> Response:
    controls = controls_of(kind, given, problems)
    return page(
        request,
        "register.html",
        title=f"Change {changed}" if changed else "Register an agent",
        nav="Agents",
        code=code,
        crumbs=[("Agents", "/agents"), ("Change" if changed else "Register", None)],
        kind=kind,
        kinds=list(FIELDS),
        path=PATH,
        changed=changed,
        controls=controls,
        problems=problems,
        unplaced=unplaced(controls, problems),
    )
