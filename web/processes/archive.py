"""Processes taken out of use, after a look at the consequences, and out of the archive."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.processes import ArchiveProcess, RestoreProcess
from domain.refusal import Problem
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.principal import cause_of
from edge.references import process_named
from edge.refusals import malformed
from edge.scopes import requires
from queries.process_versions import COUNTED, open_executions
from queries.processes import get_process
from web.forms import PageParameters, carry_out, form_fields, required
from web.layout import page
from web.processes.triggers import callers_of, triggers_of

router = APIRouter(prefix="/processes/{process}")


@router.get("/archive", **requires(ArchiveProcess.scope))
def consequences(
    process: str, request: Request, reading: Reads, caller: Caller, given: Annotated[PageParameters, Query()]
) -> Response:
    """Return the page that shows what archiving the process would do, with the form that does it."""
    id = process_named(process)
    found = get_process(reading, id, min_position=given.min_position)
    triggers = [trigger for trigger in triggers_of(found) if trigger.get("enabled", True)]
    return page(
        request,
        "archive.html",
        title=f"Archive {found.name}",
        nav="Processes",
        crumbs=[("Processes", "/processes"), (found.name, f"/processes/{found.name}"), ("Archive", None)],
        found=found,
        open=open_executions(reading, id),
        counted=COUNTED,
        callers=callers_of(reading, found.name, caller.processes),
        schedules=[trigger for trigger in triggers if trigger["type"] == "schedule"],
        webhooks=[trigger for trigger in triggers if trigger["type"] == "webhook"],
    )


@router.post("/archive", **requires(ArchiveProcess.scope))
async def archive(process: str, request: Request) -> Response:
    """Archive the process as it was shown, and return to its page."""
    fields = await form_fields(request, "reason", "revision")
    command = ArchiveProcess(process_named(process), required(fields, "reason"), _revision(fields["revision"]))
    receipt = await carry_out(door_of(request).handlers.processes.archive, command, cause_of(request))
    return RedirectResponse(f"/processes/{process}?min_position={receipt.position}&done=archived", 303)


@router.post("/restore", **requires(RestoreProcess.scope))
async def restore(process: str, request: Request) -> Response:
    """Take the process out of the archive, and return to its page."""
    fields = await form_fields(request, "reason")
    command = RestoreProcess(process_named(process), required(fields, "reason"))
    receipt = await carry_out(door_of(request).handlers.processes.restore, command, cause_of(request))
    return RedirectResponse(f"/processes/{process}?min_position={receipt.position}&done=restored", 303)


def _revision(stated: str) -> int:
    if not (stated.isascii() and stated.isdigit() and len(stated) <= 9):
        raise malformed([Problem("invalid_value", "the revision is a number", "revision")])
    return int(stated)
