"""Executions that are set aside: the list; try one again, cancel one."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.executions import ExecutionReceipt
from api.receipts import carry_out
from commands.set_aside import CancelSetAside, RetrySetAside
from edge.admitted import Masking
from edge.command_request import Commanded
from edge.dependencies import Reads
from edge.parameters import Paged
from queries.paging import Page
from queries.set_aside import SetAsideView, list_set_aside

router = APIRouter(prefix="/set-aside", tags=["operations"])


@router.get("", summary="List executions and alerts that are set aside", **openapi.query(Page[SetAsideView]))
def list_(reading: Reads, masking: Masking, given: Annotated[Paged, Query()]) -> Response:
    """List the executions and cost alerts about which no decision succeeds, the longest set aside first."""
    return view(masking.set_aside(list_set_aside(reading, **given.page)))


@router.post(
    "/{execution_id}/retry",
    summary="Try an execution or alert again that is set aside",
    **openapi.command(RetrySetAside, ExecutionReceipt, 404, status=202),
)
async def retry(execution_id: str, request: Commanded) -> Response:
    """Make it due at once; a worker tries it. When a decision about it succeeds, it leaves the list."""
    command = request.read(RetrySetAside, execution_id=execution_id)
    return await carry_out(request, request.handlers.set_aside.retry, command, ExecutionReceipt)


@router.post(
    "/{execution_id}/cancel",
    summary="Cancel an execution that is set aside",
    **openapi.command(CancelSetAside, ExecutionReceipt, 404),
)
async def cancel(execution_id: str, request: Commanded) -> Response:
    """Cancel the execution. If its decision breaks, its end is recorded without a decision about its steps."""
    command = request.read(CancelSetAside, execution_id=execution_id)
    return await carry_out(request, request.handlers.set_aside.cancel, command, ExecutionReceipt)
