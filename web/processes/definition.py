"""The definition of a process as it stands: the text of the draft or of the latest version, and its diagram."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.processes import ReviseProcess
from edge.admitted import Caller
from edge.dependencies import Reads, Versions
from edge.references import process_named
from edge.scopes import READ, requires
from queries.processes import get_process
from web.layout import page
from web.processes import drawing
from web.processes.open_steps import DrawnParameters, open_steps

router = APIRouter(prefix="/processes/{process}")


@router.get("/definition", **requires(READ))
def definition(
    process: str,
    request: Request,
    reading: Reads,
    definitions: Versions,
    caller: Caller,
    given: Annotated[DrawnParameters, Query()],
) -> Response:
    """Return the page with the text of one process."""
    found = get_process(reading, process_named(process), min_position=given.min_position)
    return page(
        request,
        "definition.html",
        title=f"Definition of {found.name}",
        nav="Processes",
        freshness=found,
        crumbs=[("Processes", "/processes"), (found.name, f"/processes/{found.name}"), ("Definition", None)],
        found=found,
        picture=drawing.drawing_of_process(
            reading, definitions, found, draft=True, opened=open_steps(request, given.inside)
        ),
        designs=caller.may(ReviseProcess.scope),
    )
