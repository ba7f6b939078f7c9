"""Save a process as a template: what becomes a parameter, which secrets were found, the document before it is kept."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.templates import SaveTemplate, ShareTemplate
from domain.refusal import Forbidden, Malformed, Problem
from domain.templates.parameters import TYPES
from domain.templates.references import read_reference
from domain.templates.saving import SavedDocument, document_to_save
from domain.templates.state import ORGANISATION, PRIVATE, TEAM_PREFIX
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.principal import Principal, cause_of
from edge.references import process_named
from edge.rehearsals import COMMANDS
from edge.scopes import requires
from edge.templates import template_caller
from queries.processes import ProcessDetail, get_process
from web.forms import PageParameters, carry_out, carry_out_once, long_form
from web.layout import page
from web.templates.saving import SavingForm, first_form, read_saving, secrets_in

MAX_SAVING = 1 << 20
SAVES = requires(SaveTemplate.scope)

router = APIRouter(prefix="/processes/{process}/template")


@router.get("", **SAVES)
def form(
    process: str, request: Request, reading: Reads, caller: Caller, given: Annotated[PageParameters, Query()]
) -> Response:
    """Return the form, with what is particular in the process proposed as parameters."""
    found = get_process(reading, process_named(process), min_position=given.min_position)
    return _page(request, caller, found, first_form(found.name, found.description or "", found.yaml or ""))


@router.post("", **SAVES)
async def save(process: str, request: Request, reading: Reads, caller: Caller) -> Response:
    """Show the document, or save and share it, and go to its page."""
    texts = await long_form(request, MAX_SAVING)
    found = await anyio.to_thread.run_sync(get_process, reading, process_named(process))
    typed = await anyio.to_thread.run_sync(read_saving, texts, found.yaml or "")
    again = partial(_page, request, caller, found, typed)
    if texts.get("act") != "save":
        return await anyio.to_thread.run_sync(partial(_previewed, request, caller, found, typed), limiter=COMMANDS)
    handlers, acting = door_of(request).handlers, template_caller(caller)
    try:
        command = typed.command(found.process_id, acting)
        made = await carry_out_once(request, handlers.templates.save, command, typed.token)
        position, reference = made.position, read_reference(made.facts["template_id"])
        if typed.shared_with != PRIVATE and reference is not None:
            sharing = ShareTemplate(reference, acting, typed.shared_with)
            position = (await carry_out(handlers.templates.share, sharing, cause_of(request))).position
    except Malformed as malformed:
        problems = malformed.problems or [Problem(malformed.code, malformed.message)]
        return await anyio.to_thread.run_sync(partial(again, problems, code=422), limiter=COMMANDS)
    except Forbidden as refusal:
        problems = [Problem(refusal.code, refusal.message, "name")]
        return await anyio.to_thread.run_sync(partial(again, problems, code=409), limiter=COMMANDS)
    address = f"/templates/{made.facts['template_id']}"
    return RedirectResponse(f"{address}?done=template-saved&min_position={position}", 303)


def _previewed(request: Request, caller: Principal, found: ProcessDetail, typed: SavingForm) -> Response:
    """Return the form with the document that would be kept, or with what is wrong with it."""
    try:
        typed.command(found.process_id, template_caller(caller))
        document = document_to_save(found.yaml or "", typed.heading, typed.parameters)
    except Malformed as malformed:
        problems = malformed.problems or [Problem(malformed.code, malformed.message)]
        return _page(request, caller, found, typed, problems, code=422)
    return _page(request, caller, found, typed, document=document)


def _page(
    request: Request,
    caller: Principal,
    found: ProcessDetail,
    typed: SavingForm,
    problems: Sequence[Problem] = (),
    *,
    document: SavedDocument | None = None,
    code: int = 200,
) -> Response:
    teams = [(f"{TEAM_PREFIX}{team}", f"the team {team}") for team in sorted(caller.teams)]
    return page(
        request,
        "template-save.html",
        title=f"Save {found.name} as a template",
        nav="Processes",
        code=code,
        crumbs=[("Processes", "/processes"), (found.name, f"/processes/{found.name}"), ("Template", None)],
        found=found,
        typed=typed,
        problems=problems,
        document=document,
        secrets=secrets_in(found.yaml or ""),
        types=TYPES,
        shares=[(PRIVATE, "only you"), *teams, (ORGANISATION, "everybody here")],
    )
