"""The form that makes a draft from a template, and beside it what the answers make."""

from functools import partial
from typing import Annotated
from uuid import uuid4

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.agents import RegisterAgent
from commands.template_uses import UseTemplate
from domain.refusal import Forbidden, Malformed, Problem
from domain.templates.answers import check_answers
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.principal import Principal
from edge.references import template_named
from edge.rehearsals import COMMANDS
from edge.scopes import requires
from edge.templates import template_caller
from edge.visibility import require_visible_name
from queries.reading import Reading
from web.controls import unplaced
from web.forms import carry_out_once, long_form
from web.layout import page
from web.templates.answered import AnsweredForm, OpenedTemplate, controls_for, opened, read_form
from web.templates.coming import coming_of
from web.templates.detail import TemplateParameters, number_of
from web.templates.list import HREF
from web.templates.outcome import open_problems, outcome_of
from web.templates.picks import picks_for
from web.templates.shapes import picture_of
from web.templates.words import source_word

# A browser writes a character of a text as up to nine bytes.
MAX_ANSWERS = 4 << 20
USES = requires(UseTemplate.scope, listed=True)

router = APIRouter(prefix=f"{HREF}/{{template_id}}")


@router.get("/use", **USES)
def form(
    template_id: str,
    request: Request,
    reading: Reads,
    caller: Caller,
    given: Annotated[TemplateParameters, Query()],
) -> Response:
    """Return the form with the defaults of the template."""
    found = opened(door_of(request), caller, template_named(template_id), given.number)
    return _shown(request, reading, caller, found, AnsweredForm(name=found.free_name, token=str(uuid4())))


@router.post("/preview", **USES)
async def preview(template_id: str, request: Request, reading: Reads, caller: Caller) -> Response:
    """Return the form with what its answers would make beside it; record nothing."""
    answered = await _sent(request)
    return await anyio.to_thread.run_sync(
        partial(_previewed, request, reading, caller, template_id, answered), limiter=COMMANDS
    )


@router.post("/use", **USES)
async def use(template_id: str, request: Request, reading: Reads, caller: Caller) -> Response:
    """Make the draft, and go to its text; or return the form with every problem at its field."""
    texts = await _sent(request)
    reference, door = template_named(template_id), door_of(request)
    version = number_of(texts.get("version", ""))
    found = await anyio.to_thread.run_sync(opened, door, caller, reference, version)
    answered = read_form(found, texts)
    command = UseTemplate(
        reference, template_caller(caller), answered.name, found.version, answered.answers, answered.replaced
    )
    code = 422
    try:
        answered.require()
        require_visible_name(caller, command.name)
        made = await carry_out_once(request, door.handlers.template_uses.use, command, answered.token)
    except Malformed as malformed:
        problems = malformed.problems or [Problem(malformed.code, malformed.message)]
    except Forbidden as refusal:
        if refusal.code != "process_name_taken":
            raise
        answered, code = answered.taken(str(refusal.details.get("suggestion", ""))), 409
        problems = [Problem(refusal.code, "there is a process of that name", "name")]
    else:
        address = f"/processes/{made.facts['name']}/edit"
        return RedirectResponse(f"{address}?done=template-used&min_position={made.position}", 303)
    again = partial(_shown, request, reading, caller, found, answered, problems, code=code)
    return await anyio.to_thread.run_sync(again, limiter=COMMANDS)


async def _sent(request: Request) -> dict[str, str]:
    return await long_form(request, MAX_ANSWERS)


def _previewed(
    request: Request, reading: Reading, caller: Principal, template_id: str, texts: dict[str, str]
) -> Response:
    version = number_of(texts.get("version", ""))
    found = opened(door_of(request), caller, template_named(template_id), version)
    answered = read_form(found, texts)
    problems = answered.problems
    # Answers that are being typed are often none yet: that is no failure of the page that shows it.
    code = 422 if problems and "hx-request" not in request.headers else 200
    return _shown(request, reading, caller, found, answered, problems, code=code)


def _shown(
    request: Request,
    reading: Reading,
    caller: Principal,
    found: OpenedTemplate,
    answered: AnsweredForm,
    problems: list[Problem] | None = None,
    *,
    code: int = 200,
) -> Response:
    door = door_of(request)
    outcome = outcome_of(
        door, caller, found.reference, found.version, answered.answers, answered.proper_name, answered.replaced
    )
    controls = controls_for(found, answered, problems or [])
    parameters = found.template.parameters
    values = check_answers(parameters, answered.answers).values
    action = f"{HREF}/{found.reference.template_id}"
    return page(
        request,
        "template-use.html",
        title=f"Use {found.template.name}",
        nav="Templates",
        code=code,
        crumbs=[("Templates", HREF), (found.template.name, action), ("Use", None)],
        found=found,
        action=action,
        answered=answered,
        controls=controls.answers,
        replacements=controls.replacements,
        left_out=controls.left_out,
        problems=problems or [],
        unplaced=unplaced(controls.all, problems or []),
        lists=picks_for(reading, caller, {each.suggested.removeprefix("list-") for each in controls.all}),
        outcome=outcome,
        open_problems=open_problems(outcome.problems, controls.all),
        coming=() if outcome.preview is not None else coming_of(parameters, values, door.clock.now()),
        sample=None if outcome.picture is not None else picture_of(found.source, found.template.name),
        registers=caller.may(RegisterAgent.scope),
        source_word=source_word,
    )
