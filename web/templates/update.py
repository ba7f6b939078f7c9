"""A newer version of the template that a process was made from: what the template changed, and what people changed."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.processes import ReviseProcess
from edge.admitted import Caller
from edge.dependencies import Reads, TheDoor
from edge.references import process_named
from edge.scopes import READ, requires
from edge.templates import surroundings_of, template_caller
from queries.processes import get_process
from queries.templates.updates import get_update
from web.forms import PageParameters
from web.layout import page
from web.processes.differences import differing_lines

router = APIRouter(prefix="/processes/{process}/template-update")


@router.get("", **requires(READ))
def show(
    process: str,
    request: Request,
    reading: Reads,
    door: TheDoor,
    caller: Caller,
    given: Annotated[PageParameters, Query()],
) -> Response:
    """Return the page with both differences."""
    id = process_named(process)
    process_detail = get_process(reading, id, min_position=given.min_position)
    name = process_detail.name
    found = get_update(reading, surroundings_of(door), template_caller(caller), id)
    before, after = found.before, found.after
    return page(
        request,
        "template-update.html",
        title=f"Newer template of {name}",
        nav="Processes",
        crumbs=[("Processes", "/processes"), (name, f"/processes/{name}"), ("Newer template", None)],
        name=name,
        found=found,
        theirs=[] if before is None or after is None else differing_lines(before, after),
        yours=[] if before is None else differing_lines(before, found.current),
        together=[] if found.merged is None else differing_lines(found.current, found.merged),
        revision=process_detail.revision,
        designs=caller.may(ReviseProcess.scope) and process_detail.status != "archived",
    )
