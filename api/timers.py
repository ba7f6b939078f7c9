"""Timers: what is due when; move one, fire one early."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.bodies import json_object, read_body
from api.carrying_out import carry_out
from api.fields import Fields
from api.parameters import NO_PARAMETERS, TimersAsked
from api.receipts import MoveBody, StatedReasonBody, TimerChanged
from api.references import execution_named
from commands.timers import FireTimer, MoveTimer
from queries.paging import Page
from queries.timers import TimerView, list_timers

router = APIRouter(tags=["executions"])


@router.get("/timers", summary="List timers", **openapi.query(Page[TimerView]))
def list_(request: Request, asked: Annotated[TimersAsked, Query()]) -> Response:
    """The one that is due first, first."""
    return view(list_timers(request.app.state.services.reading, overdue=bool(asked.due), **asked.page))


@router.post(
    "/executions/{execution_id}/timers/{step}/{kind}/fire",
    dependencies=[NO_PARAMETERS],
    summary="Fire a timer early",
    **openapi.command(TimerChanged, 200, 404, body=StatedReasonBody, required=True),
)
async def fire(execution_id: str, step: str, kind: str, request: Request) -> Response:
    """What would have happened when it was due happens now. kind: as the list of timers says."""
    body = await read_body(request)
    fields = Fields(json_object(request, body), "reason")
    reason = fields.reason()
    fields.check()
    command = FireTimer(execution_named(execution_id), step, kind, reason)
    timers = request.app.state.services.timers
    return await carry_out(
        request,
        body,
        lambda cause, identified: timers.fire(command, cause, identified),
        always={"step": step, "kind": kind},
    )


@router.post(
    "/executions/{execution_id}/timers/{step}/{kind}/move",
    dependencies=[NO_PARAMETERS],
    summary="Move a timer",
    **openapi.command(TimerChanged, 200, 404, body=MoveBody, required=True),
)
async def move(execution_id: str, step: str, kind: str, request: Request) -> Response:
    """To another time, a year ahead at most. One that is not in the future fires it."""
    body = await read_body(request)
    fields = Fields(json_object(request, body), "due_at", "reason")
    due_at, reason = fields.instant("due_at"), fields.reason()
    fields.check()
    assert due_at is not None
    command = MoveTimer(execution_named(execution_id), step, kind, due_at, reason)
    timers = request.app.state.services.timers
    return await carry_out(
        request,
        body,
        lambda cause, identified: timers.move(command, cause, identified),
        always={"step": step, "kind": kind},
    )
