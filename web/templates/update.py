"""A newer version of the template that a process was made from: what both sides changed; take it, or state it taken."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.processes import ReviseProcess
from commands.template_versions import ReviseFromTemplate, TakeTemplateVersion
from domain.refusal import Stale
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.principal import Principal
from edge.references import process_named
from edge.scopes import READ, requires
from edge.templates import surroundings_of, template_caller
from queries.processes import get_process
from queries.reading import Reading
from queries.templates.updates import get_update
from web.acts import UNTRIED, Act, ActForm, attempt
from web.forms import PageParameters
from web.layout import page
from web.processes.differences import differing_lines
from web.templates.detail import number_of

VERSIONED = ("version", "revision")
TAKE = Act(
    "Take the newer version",
    "",
    "template-taken",
    lambda handlers: handlers.template_versions.take,
    VERSIONED,
    reasoned=False,
)
MARK = Act(
    "Mark as taken", "", "template-taken", lambda handlers: handlers.template_versions.revise, VERSIONED, reasoned=False
)

router = APIRouter(prefix="/processes/{process}/template-update")


@router.get("", **requires(READ))
def show(
    process: str, request: Request, reading: Reads, caller: Caller, given: Annotated[PageParameters, Query()]
) -> Response:
    """Return the page with both differences."""
    return _page(request, reading, caller, process, given)


@router.post("", **requires(TakeTemplateVersion.scope))
async def take(process: str, request: Request, reading: Reads, caller: Caller) -> Response:
    """Bring the changes of the template into the draft, and go to its text."""
    id, acting = process_named(process), template_caller(caller)
    return await attempt(
        request,
        TAKE,
        lambda fields: TakeTemplateVersion(
            id, acting, number_of(fields["version"]) or None, number_of(fields["revision"]) or 0
        ),
        partial(_page, request, reading, caller, process, PageParameters()),
        f"/processes/{process}/edit",
    )


@router.post("/mark", **requires(ReviseFromTemplate.scope))
async def mark(process: str, request: Request, reading: Reads, caller: Caller) -> Response:
    """State that the text has the version, after a person resolved the conflicts; the text stays as it is."""
    id, acting = process_named(process), template_caller(caller)
    stored = await anyio.to_thread.run_sync(get_process, reading, id)

    def marked(fields: Mapping[str, str]) -> ReviseFromTemplate:
        version, revision = number_of(fields["version"]) or 1, number_of(fields["revision"])
        if revision != stored.revision:
            raise Stale(f"the process is at revision {stored.revision}, not {revision}", version=stored.revision)
        return ReviseFromTemplate(id, stored.yaml or "", acting, version, revision)

    return await attempt(
        request,
        MARK,
        marked,
        partial(_page, request, reading, caller, process, PageParameters()),
        f"/processes/{process}/template-update",
    )


def _page(
    request: Request,
    reading: Reading,
    caller: Principal,
    process: str,
    given: PageParameters,
    form: ActForm = UNTRIED,
) -> Response:
    id = process_named(process)
    process_detail = get_process(reading, id, min_position=given.min_position)
    name = process_detail.name
    found = get_update(reading, surroundings_of(door_of(request)), template_caller(caller), id)
    before, after = found.before, found.after
    return page(
        request,
        "template-update.html",
        title=f"Newer template of {name}",
        nav="Processes",
        code=form.code,
        crumbs=[("Processes", "/processes"), (name, f"/processes/{name}"), ("Newer template", None)],
        name=name,
        found=found,
        form=form,
        theirs=[] if before is None or after is None else differing_lines(before, after),
        yours=[] if before is None else differing_lines(before, found.current),
        together=[] if found.merged is None else differing_lines(found.current, found.merged),
        revision=process_detail.revision,
        designs=caller.may(ReviseProcess.scope) and process_detail.status != "archived",
    )
