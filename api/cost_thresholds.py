"""Cost thresholds of a process: those in force, and the commands that set and clear them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.receipts import RehearsedReceipt, carry_out
from commands.cost_thresholds import ClearCostThreshold, SetCostThresholds
from edge.command_request import CommandedOrRehearsed
from edge.dependencies import Reads
from edge.parameters import Fresh
from edge.references import process_named
from queries.thresholds import ThresholdsView, get_thresholds

router = APIRouter(prefix="/processes/{process}/cost-thresholds", tags=["costs"])


class ThresholdsReceipt(RehearsedReceipt, kw_only=True):
    """The thresholds are in force. duplicate: they were before."""

    process_id: UUID


@router.get("", summary="Cost thresholds", **openapi.query(ThresholdsView, 404))
def thresholds(process: str, reading: Reads, given: Annotated[Fresh, Query()]) -> Response:
    """Return the thresholds in force, whether a version or a command set them."""
    return view(get_thresholds(reading, process_named(process), min_position=given.min_position))


@router.put(
    "",
    summary="Set cost thresholds",
    **openapi.command(SetCostThresholds, ThresholdsReceipt, 404, rehearsed=True),
)
async def set_(process: str, request: CommandedOrRehearsed) -> Response:
    """Put thresholds in force, until a version is published whose `costs` differ from those of the one before."""
    command = request.read(SetCostThresholds, process_id=process)
    return await carry_out(request, request.handlers.cost_thresholds.set, command, ThresholdsReceipt)


@router.delete(
    "/{kind}",
    summary="Clear a cost threshold",
    **openapi.command(ClearCostThreshold, ThresholdsReceipt, 404, rehearsed=True),
)
async def clear(process: str, kind: str, request: CommandedOrRehearsed) -> Response:
    """Take the threshold of one kind out of force; its alerts are resolved."""
    command = request.read(ClearCostThreshold, process_id=process, kind=kind)
    return await carry_out(request, request.handlers.cost_thresholds.clear, command, ThresholdsReceipt)
