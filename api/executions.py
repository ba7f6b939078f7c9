"""Executions: start, cancel; the list, one in detail, now or as it was, its events."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.bodies import json_object, read_body
from api.carrying_out import carry_out
from api.fields import Fields
from api.parameters import NO_PARAMETERS, DifferenceAsked, ExecutionAsked, ExecutionsAsked, StreamPage
from api.receipts import ExecutionAnswered, ExecutionStarted, ReasonBody, StartBody
from api.references import execution_named, process_named
from commands.executions import CancelExecution, StartExecution
from queries.differences import Difference, get_difference
from queries.events import EventView, list_execution_events
from queries.executions import ExecutionDetail, ExecutionFilter, ExecutionSummary, get_execution, list_executions
from queries.folding import get_execution_as_of
from queries.paging import Page

# An input may have 1 MiB; the rest of the body is its braces.
MAX_INPUT = (1 << 20) + 1_024

router = APIRouter(tags=["executions"])


@router.post(
    "/processes/{process}/execute",
    dependencies=[NO_PARAMETERS],
    summary="Start an execution (the same under another name)",
    **openapi.command(ExecutionStarted, 202, 404, body=StartBody),
)
@router.post(
    "/processes/{process}/executions",
    dependencies=[NO_PARAMETERS],
    summary="Start an execution",
    **openapi.command(ExecutionStarted, 202, 404, body=StartBody),
)
async def start_execution(process: str, request: Request) -> Response:
    """Run a published process: its latest version, or the one named. Goes on by itself."""
    body = await read_body(request, MAX_INPUT)
    command = _start(process, json_object(request, body))
    executions = request.app.state.services.executions
    return await carry_out(
        request, body, lambda cause, identified: executions.start(command, cause, identified), status=202
    )


def _start(process: str, body: dict[str, Any]) -> StartExecution:
    fields = Fields(body, "input", "version")
    input = fields.object("input")
    version = fields.whole("version", lowest=1)
    fields.check()
    return StartExecution(process_named(process), input or {}, version)


@router.get("/executions", summary="List executions", **openapi.query(Page[ExecutionSummary]))
def list_(request: Request, asked: Annotated[ExecutionsAsked, Query()]) -> Response:
    """The newest first; without those that other executions started, unless asked for."""
    wanted = ExecutionFilter(
        process_ids=[process_named(reference) for reference in asked.process],
        versions=[int(version) for version in asked.version],
        statuses=asked.status,
        triggers=asked.trigger,
        parents=[execution_named(id) for id in asked.parent],
        roots=[execution_named(id) for id in asked.root],
        include_children=asked.include_children,
        started_from=asked.started_from,
        started_to=asked.started_to,
    )
    return view(list_executions(request.app.state.services.reading, wanted, **asked.page))


@router.get("/executions/{execution_id}", summary="One execution", **openapi.query(ExecutionDetail, 404))
def get(execution_id: str, request: Request, asked: Annotated[ExecutionAsked, Query()]) -> Response:
    """With its steps in the order of the definition; those not reached are pending.

    Each step shows the executions it started, and the execution where it comes from. as_of: as it all was there.
    """
    id, state = execution_named(execution_id), request.app.state
    reading, definitions, fresh = state.services.reading, state.definitions, asked.min_position
    if asked.as_of is not None:
        return view(get_execution_as_of(reading, definitions, id, asked.as_of, min_position=fresh))
    return view(get_execution(reading, definitions, id, min_position=fresh))


@router.get("/executions/{execution_id}/diff", summary="What changed", **openapi.query(Difference, 404))
def difference(execution_id: str, request: Request, asked: Annotated[DifferenceAsked, Query()]) -> Response:
    """Between two points, each a position in the log or an instant: what is not the same, before and after."""
    id, state = execution_named(execution_id), request.app.state
    points = asked.point_from, asked.point_to
    fresh = asked.min_position
    return view(get_difference(state.services.reading, state.definitions, id, *points, min_position=fresh))


@router.get("/executions/{execution_id}/events", summary="Its events", **openapi.query(Page[EventView], 404))
def events(execution_id: str, request: Request, asked: Annotated[StreamPage, Query()]) -> Response:
    """The execution's stream, as it stands in the log."""
    id = execution_named(execution_id)
    return view(list_execution_events(request.app.state.services.reading, id, after=asked.after, **asked.page))


@router.post(
    "/executions/{execution_id}/cancel",
    dependencies=[NO_PARAMETERS],
    summary="Cancel an execution",
    **openapi.command(ExecutionAnswered, 200, 404, body=ReasonBody),
)
async def cancel(execution_id: str, request: Request) -> Response:
    """Call it off; attempts under way are given up. Again: a duplicate."""
    body = await read_body(request)
    fields = Fields(json_object(request, body), "reason")
    reason = fields.text("reason")
    fields.check()
    command = CancelExecution(execution_named(execution_id), reason or "")
    executions = request.app.state.services.executions
    return await carry_out(request, body, lambda cause, identified: executions.cancel(command, cause, identified))
