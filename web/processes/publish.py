"""The publication of a draft: what changes, who calls the process, what keeps the version before."""

from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.processes import PublishProcess
from domain.refusal import Forbidden, Malformed, Stale
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.principal import Principal, cause_of
from edge.references import process_named
from edge.scopes import requires
from queries.processes import get_process, get_process_version
from queries.reading import Reading
from web.forms import PageParameters, carry_out, form_fields
from web.layout import page
from web.processes.differences import differing_lines
from web.processes.list import under_way
from web.processes.triggers import callers_of

router = APIRouter(prefix="/processes/{process}/publish")
PUBLISHES = requires(PublishProcess.scope)


@router.get("", **PUBLISHES)
def preview(
    process: str, request: Request, reading: Reads, caller: Caller, given: Annotated[PageParameters, Query()]
) -> Response:
    """Return the page that states what a publication of the draft changes."""
    return _page(request, reading, caller, process, min_position=given.min_position)


@router.post("", **PUBLISHES)
async def publish(process: str, request: Request, reading: Reads, caller: Caller) -> Response:
    """Publish the draft that the page has shown, and return to the process."""
    fields = await form_fields(request, "revision")
    stated = fields["revision"]
    revision = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 10 else -1
    id = process_named(process)
    try:
        receipt = await carry_out(
            door_of(request).handlers.processes.publish, PublishProcess(id, revision), cause_of(request)
        )
    except Stale:
        note, code = "Not published: somebody has changed the draft since. This is what changes now.", 412
    except Malformed as refusal:
        note, code = f"Not published: {refusal.message}.", 422
    except Forbidden as refusal:
        note, code = f"Not published: {refusal.message}.", 409
    else:
        return RedirectResponse(f"/processes/{process}?done=published&min_position={receipt.position}", 303)
    shown = _page
    return await anyio.to_thread.run_sync(lambda: shown(request, reading, caller, process, note=note, code=code))


def _page(
    request: Request,
    reading: Reading,
    caller: Principal,
    process: str,
    *,
    note: str = "",
    code: int = 200,
    min_position: int | None = None,
) -> Response:
    id = process_named(process)
    found = get_process(reading, id, min_position=min_position)
    before = get_process_version(reading, id, found.version).yaml if found.version is not None else ""
    text = found.yaml or ""
    problems = door_of(request).handlers.processes.propose(text)
    return page(
        request,
        "publish.html",
        title=f"Publish {found.name}",
        nav="Processes",
        code=code,
        crumbs=[("Processes", "/processes"), (found.name, f"/processes/{found.name}"), ("Publish", None)],
        found=found,
        note=note,
        lines=differing_lines(before, text),
        problems=problems,
        errors=sum(each.severity == "error" for each in problems),
        callers=callers_of(reading, found.name, caller.processes),
        under_way=under_way(found),
    )
