"""Cost thresholds of a process: those in force, and the commands that set and clear them."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.receipts import RehearsedReceipt, carry_out
from commands.cost_thresholds import ClearCostThreshold, SetCostThresholds, WrittenLevel
from edge.command_request import CommandedOrRehearsed
from edge.declared import Read
from edge.dependencies import Reads
from edge.parameters import Fresh
from edge.references import process_named
from queries.thresholds import ThresholdsView, get_thresholds

router = APIRouter(prefix="/processes/{process}/cost-thresholds", tags=["costs"])


def _levels(given: Any, _body: bytes) -> list[WrittenLevel]:
    return msgspec.convert([given] if isinstance(given, dict) else given, list[WrittenLevel])


StatedLevels = Annotated[Any, Read(_levels, list[WrittenLevel])]


class StatedThresholds(msgspec.Struct, frozen=True):
    """Thresholds by kind; a kind without levels has none. timezone: its midnight begins a day and a week."""

    per_execution: StatedLevels = None
    daily: StatedLevels = None
    weekly: StatedLevels = None
    timezone: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    week_starts: Annotated[str, msgspec.Meta(max_length=16)] | None = None


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
    **openapi.command(SetCostThresholds, ThresholdsReceipt, 404, rehearsed=True, body=StatedThresholds),
)
async def set_(process: str, request: CommandedOrRehearsed) -> Response:
    """Put thresholds in force, until a version is published whose `costs` differ from those of the one before."""
    given = request.read(StatedThresholds)
    command = SetCostThresholds(
        process_named(process),
        given.per_execution or [],
        given.daily or [],
        given.weekly or [],
        given.timezone,
        given.week_starts,
    )
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
