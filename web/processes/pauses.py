"""The forms that pause a process and resume it."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from commands.process_pauses import PauseProcess, ResumeProcess
from domain.refusal import Problem
from edge.dependencies import door_of
from edge.principal import cause_of
from edge.references import process_named
from edge.refusals import malformed
from edge.scopes import requires
from web.forms import carry_out, form_fields, required

router = APIRouter(prefix="/processes/{process}")


@router.post("/pause", **requires(PauseProcess.scope))
async def pause(process: str, request: Request) -> Response:
    """Pause the process, and return to its page."""
    fields = await form_fields(request, "reason", "mode")
    if fields["mode"] not in ("queue", "refuse"):
        raise malformed([Problem("invalid_value", "the mode is queue or refuse", "mode")])
    command = PauseProcess(process_named(process), required(fields, "reason"), fields["mode"])
    receipt = await carry_out(door_of(request).handlers.process_pauses.pause, command, cause_of(request))
    return RedirectResponse(f"/processes/{process}?min_position={receipt.position}&done=paused", 303)


@router.post("/resume", **requires(ResumeProcess.scope))
async def resume(process: str, request: Request) -> Response:
    """Let the process start executions again, and return to its page."""
    fields = await form_fields(request, "reason")
    command = ResumeProcess(process_named(process), required(fields, "reason"))
    receipt = await carry_out(door_of(request).handlers.process_pauses.resume, command, cause_of(request))
    return RedirectResponse(f"/processes/{process}?min_position={receipt.position}&done=resumed", 303)
