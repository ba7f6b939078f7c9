"""Batches: act on many executions. Freeze their list, run it, stop it; the batches, and one with its progress."""

from functools import partial
from typing import Annotated
from uuid import UUID

import anyio
from fastapi import APIRouter, Query
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.receipts import CommandReceipt, carry_out
from commands.batches import FreezeBatch, RunBatch, StopBatch
from edge.admitted import Caller
from edge.batches import with_list
from edge.command_request import Commanded, CommandedWithParameters
from edge.dependencies import Reads
from edge.parameters import Fresh, Paged
from edge.principal import principal_of
from edge.references import batch_named
from queries.batches import BatchSummary, BatchView, get_batch, list_batches
from queries.paging import Page

router = APIRouter(prefix="/batches", tags=["executions"])


class BatchReceipt(CommandReceipt, kw_only=True):
    """A batch was frozen, run or stopped. count: of the executions in its list."""

    batch_id: UUID
    count: int


@router.post("", summary="Freeze a batch", **openapi.command(FreezeBatch, BatchReceipt, status=201, listed=True))
async def freeze(request: CommandedWithParameters, reading: Reads, given: Annotated[Fresh, Query()]) -> Response:
    """Freeze the list of the executions that the filter finds, and do nothing to them; the list is the dry run.

    The words of the filter are the parameters of `GET /api/executions`, without order and pages. An empty filter: 422
    `empty_filter`. More executions than `PROCESSION_MAX_BATCH`: 422 `too_many_executions`, with their `count`. None:
    409 `nothing_matches`. A batch that is not run within an hour expires.
    """
    caller = principal_of(request.request)
    command = await anyio.to_thread.run_sync(
        partial(
            with_list,
            reading,
            request.read(FreezeBatch),
            caller.processes,
            request.door.max_batch,
            min_position=given.min_position,
        )
    )
    return await carry_out(request, request.handlers.batches.freeze, command, BatchReceipt)


@router.post("/{batch_id}/run", summary="Run a batch", **openapi.command(RunBatch, BatchReceipt, 404, status=202))
async def run(batch_id: str, request: Commanded) -> Response:
    """Let workers act on each execution of the list, in the name of the caller. Again: a duplicate.

    An execution that has changed since counts as refused, and the others go on. An hour after the list was frozen: 409
    `batch_expired`.
    """
    command = request.read(RunBatch, batch_id=batch_id)
    return await carry_out(request, request.handlers.batches.run, command, BatchReceipt)


@router.post("/{batch_id}/stop", summary="Stop a batch", **openapi.command(StopBatch, BatchReceipt, 404))
async def stop(batch_id: str, request: Commanded) -> Response:
    """Leave the rest of the list alone; what is done stays. A batch that is stopped never runs. Again: a duplicate."""
    command = request.read(StopBatch, batch_id=batch_id)
    return await carry_out(request, request.handlers.batches.stop, command, BatchReceipt)


@router.get("", summary="List batches", **openapi.query(Page[BatchSummary], listed=True))
def list_(reading: Reads, caller: Caller, given: Annotated[Paged, Query()]) -> Response:
    """List batches, the newest first."""
    return view(list_batches(reading, within=caller.processes, **given.page))


@router.get("/{batch_id}", summary="One batch", **openapi.query(BatchView, 404))
def get(batch_id: str, reading: Reads, given: Annotated[Fresh, Query()]) -> Response:
    """Return the batch with its progress, and the first executions on which it could not act."""
    return view(get_batch(reading, batch_named(batch_id), min_position=given.min_position))
