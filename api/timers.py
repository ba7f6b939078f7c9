"""Timers: the list; move one, fire one early."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.receipts import RehearsedReceipt, carry_out
from commands.timers import FireTimer, MoveTimer
from domain.executions.timers import KINDS
from edge.admitted import Caller
from edge.command_request import CommandedOrRehearsed
from edge.dependencies import Reads
from edge.parameters import SEVERAL, Paged, ProcessReferences, Values, one_of
from edge.references import process_named
from queries.paging import Page
from queries.timers import TimerFilter, TimerView, list_timers

router = APIRouter(tags=["executions"])


class TimerReceipt(RehearsedReceipt, kw_only=True):
    """A timer was moved or fired. duplicate: it was due then already."""

    execution_id: UUID
    step: str
    kind: str


class TimerFilters(Paged):
    """Filters of the timers."""

    due: Annotated[
        Values,
        one_of(("overdue", "pending")),
        Field(description="overdue: only those that should have fired; pending: only those that are not due."),
    ] = []
    kind: Annotated[Values, one_of(KINDS), Field(description=SEVERAL)] = []
    process: ProcessReferences = []


@router.get("/timers", summary="List timers", **openapi.query(Page[TimerView], listed=True))
def list_(reading: Reads, caller: Caller, filters: Annotated[TimerFilters, Query()]) -> Response:
    """List timers, the earliest due first."""
    due = set(filters.due)
    filter = TimerFilter(
        overdue="overdue" in due if len(due) == 1 else None,
        kinds=filters.kind,
        process_ids=[process_named(each) for each in filters.process],
        within=caller.processes,
    )
    return view(list_timers(reading, filter, **filters.page))


@router.post(
    "/executions/{execution_id}/timers/{step}/{kind}/fire",
    summary="Fire a timer early",
    **openapi.command(FireTimer, TimerReceipt, 404, 410, rehearsed=True),
)
async def fire(execution_id: str, step: str, kind: str, request: CommandedOrRehearsed) -> Response:
    """Fire the timer now. kind: as in the list of timers."""
    command = request.read(FireTimer, execution_id=execution_id, step=step, kind=kind)
    return await carry_out(request, request.handlers.timers.fire, command, TimerReceipt)


@router.post(
    "/executions/{execution_id}/timers/{step}/{kind}/move",
    summary="Move a timer",
    **openapi.command(MoveTimer, TimerReceipt, 404, 410, rehearsed=True),
)
async def move(execution_id: str, step: str, kind: str, request: CommandedOrRehearsed) -> Response:
    """Make the timer due at another time, at most a year ahead. A time that is not in the future fires it."""
    command = request.read(MoveTimer, execution_id=execution_id, step=step, kind=kind)
    return await carry_out(request, request.handlers.timers.move, command, TimerReceipt)
