"""Dead letters: the events that read models could not digest; try one again, skip one."""

from typing import Annotated

import anyio
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import JsonBody, view
from api.projections import ActParameters, ReadModelReceipt, planned
from api.receipts import CommandReceipt, carry_out
from commands.read_models import RetryDeadLetter, SkipDeadLetter
from edge.admitted import Masking
from edge.command_request import CommandedWithParameters
from edge.dependencies import Reads
from edge.parameters import Paged, Position
from queries.dead_letters import DeadLetterView, list_dead_letters, plan_retry, plan_skip
from queries.paging import Page
from queries.read_models import ActPlan

router = APIRouter(prefix="/dead-letters", tags=["operations"])


class SkippedReceipt(CommandReceipt, kw_only=True):
    """A dead letter is skipped. letter: its position. duplicate: it was before."""

    projection: str
    letter: int


class PlannedSkip(SkippedReceipt, kw_only=True):
    """A dead letter is skipped. would: in the answer of a dry run alone, the consequences."""

    would: ActPlan | None = None


class DeadLetterFilters(Paged):
    """Filters of the dead letters."""

    projection: Annotated[str, Field(max_length=100, description="Only those of this read model.")] | None = None
    skipped: Annotated[bool, Field(description="Those that an operator has skipped. Default: the others.")] = False


@router.get("", summary="List dead letters", **openapi.query(Page[DeadLetterView]))
def list_(reading: Reads, masking: Masking, given: Annotated[DeadLetterFilters, Query()]) -> Response:
    """List the events that read models could not digest, the newest first; their rows lack these events."""
    found = list_dead_letters(reading, projection=given.projection, skipped=given.skipped, **given.page)
    return view(masking.dead_letters(found))


@router.post(
    "/{projection}/{position}/retry",
    summary="Try a dead letter again",
    **openapi.command(RetryDeadLetter, ReadModelReceipt, 404, status=202, planned=ActPlan),
)
async def retry(
    projection: str,
    position: Position,
    request: CommandedWithParameters,
    reading: Reads,
    given: Annotated[ActParameters, Query()],
) -> Response:
    """Request a rebuild of the read model, which reads the event again at its place in the log."""
    command = request.read(RetryDeadLetter, projection=projection, position=position)
    if given.dry_run:
        return await planned(plan_retry, reading, projection, position)
    return await carry_out(request, request.handlers.read_models.retry_letter, command, ReadModelReceipt)


@router.post(
    "/{projection}/{position}/skip",
    summary="Skip a dead letter",
    **openapi.command(SkipDeadLetter, PlannedSkip, 404),
)
async def skip(
    projection: str,
    position: Position,
    request: CommandedWithParameters,
    reading: Reads,
    given: Annotated[ActParameters, Query()],
) -> Response:
    """Leave the event out of the read model, also after a rebuild that cannot digest it; it no longer counts."""
    command = request.read(SkipDeadLetter, projection=projection, position=position)
    if given.dry_run:
        plan = await anyio.to_thread.run_sync(plan_skip, reading, projection, position)
        return JsonBody({"projection": projection, "letter": position, "position": 0, "would": plan}, 200)
    return await carry_out(request, request.handlers.read_models.skip_letter, command, SkippedReceipt)
