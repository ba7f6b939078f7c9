"""Executions: start, cancel; the list; one in detail, now or at a point in the past; its events."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.receipts import CommandReceipt, RehearsedReceipt, carry_out
from commands.executions import CancelExecution, StartExecution
from edge.admitted import Caller, Masking
from edge.command_request import CommandedOrRehearsed, CommandedWithInput
from edge.dependencies import Reads, Versions
from edge.execution_filters import ExecutionWords
from edge.parameters import (
    Fresh,
    Paged,
    PointParameter,
    StreamPage,
    Values,
    one_of,
)
from edge.references import execution_named
from edge.visibility import restricted, restricted_cause
from queries.causes import FoundCause, find_cause
from queries.differences import Difference, get_difference
from queries.events import EventView, list_execution_events
from queries.executions import (
    STATUSES,
    ExecutionDetail,
    ExecutionFilter,
    ExecutionSummary,
    get_execution,
    list_executions,
)
from queries.folding import get_execution_as_of
from queries.large_results import get_large_result
from queries.paging import Page
from queries.trees import TREE_LIMIT, TreeExecution, TreeFilter, list_tree

router = APIRouter(tags=["executions"])


class StartReceipt(CommandReceipt, kw_only=True):
    """An execution was started."""

    execution_id: UUID
    version: int


class ExecutionReceipt(RehearsedReceipt, kw_only=True):
    """A command on an execution was carried out."""

    execution_id: UUID


class ExecutionParameters(Fresh):
    """as_of: a position in the log, or an instant; the answer shows the execution at that point, from its events."""

    as_of: PointParameter | None = None


class DifferenceParameters(Fresh):
    """Two points: positions in the log, or instants."""

    point_from: Annotated[PointParameter, Field(alias="from")]
    point_to: Annotated[PointParameter, Field(alias="to")]


class ExecutionFilters(ExecutionWords, Paged):
    """Filters of the executions."""

    order: Annotated[
        Literal["newest", "oldest", "ended", "longest", "-cost"],
        Field(
            description="By start, the newest or the oldest first; ended, longest: those that have ended, the last or "
            "the longest first; -cost: those with a cost of their own in `currency`, by default USD, the dearest first."
        ),
    ] = "newest"

    def filter(self, within: tuple[str, ...]) -> ExecutionFilter:
        """Return the filter of the query, in its order. within: the processes that the caller sees."""
        return msgspec.structs.replace(super().filter(within), order=self.order)


class TreeParameters(Paged):
    """A page of an execution tree, of at most 1,000 executions."""

    limit: Annotated[int, Field(ge=1, le=TREE_LIMIT)] = TREE_LIMIT
    status: Annotated[Values, one_of(STATUSES), Field(description=", ".join(STATUSES))] = []


@router.post(
    "/processes/{process}/execute",
    summary="Start an execution (the same under another name)",
    **openapi.command(StartExecution, StartReceipt, 404, status=202),
)
@router.post(
    "/processes/{process}/executions",
    summary="Start an execution",
    **openapi.command(StartExecution, StartReceipt, 404, status=202),
)
async def start(process: str, request: CommandedWithInput) -> Response:
    """Run a published process: its latest version, or the one named. The execution continues by itself."""
    command = request.read(StartExecution, process_id=process)
    return await carry_out(request, request.handlers.executions.start, command, StartReceipt)


@router.get("/executions", summary="List executions", **openapi.query(Page[ExecutionSummary], listed=True))
def list_(reading: Reads, caller: Caller, masking: Masking, filters: Annotated[ExecutionFilters, Query()]) -> Response:
    """List executions, by default the newest first and without executions that other executions started."""
    return view(masking.summaries(list_executions(reading, filters.filter(caller.processes), **filters.page)))


@router.get("/executions/{execution_id}", summary="One execution", **openapi.query(ExecutionDetail, 404, 410))
def get(
    execution_id: str,
    reading: Reads,
    definitions: Versions,
    caller: Caller,
    masking: Masking,
    given: Annotated[ExecutionParameters, Query()],
) -> Response:
    """Return the execution with its steps in the order of the definition; steps not reached yet are pending.

    Each step shows the executions it started, and the execution shows its parent. as_of: the execution at that point.
    """
    id, fresh = execution_named(execution_id), given.min_position
    if given.as_of is not None:
        found = get_execution_as_of(reading, definitions, id, given.as_of, min_position=fresh)
    else:
        found = get_execution(reading, definitions, id, min_position=fresh)
    return view(masking.execution(restricted(found, caller)))


@router.get("/executions/{execution_id}/diff", summary="What changed", **openapi.query(Difference, 404, 410))
def difference(
    execution_id: str,
    reading: Reads,
    definitions: Versions,
    caller: Caller,
    masking: Masking,
    given: Annotated[DifferenceParameters, Query()],
) -> Response:
    """Return every difference between two points, before and after. A point is a position in the log or an instant."""
    id, points = execution_named(execution_id), (given.point_from, given.point_to)
    found = get_difference(reading, definitions, id, *points, min_position=given.min_position)
    return view(masking.difference(found))


@router.get("/executions/{execution_id}/tree", summary="Its whole run", **openapi.query(Page[TreeExecution], 404, 410))
def tree(
    execution_id: str, reading: Reads, caller: Caller, masking: Masking, given: Annotated[TreeParameters, Query()]
) -> Response:
    """List the executions of the run that the execution belongs to, from the root on: a parent before its children."""
    filter = TreeFilter(given.status, caller.processes)
    return view(masking.tree(list_tree(reading, execution_named(execution_id), filter, **given.page)))


@router.get(
    "/executions/{execution_id}/cause", summary="The cause of its failure", **openapi.query(FoundCause, 404, 410)
)
def cause(execution_id: str, reading: Reads, caller: Caller, given: Annotated[Fresh, Query()]) -> Response:
    """Return the step for which the execution failed, in it or in one that it called, however deep; null: none failed.

    distance: the number of executions between.
    """
    found = find_cause(reading, execution_named(execution_id), min_position=given.min_position)
    return view(restricted_cause(found, caller))


@router.get("/executions/{execution_id}/events", summary="Its events", **openapi.query(Page[EventView], 404, 410))
def events(execution_id: str, reading: Reads, masking: Masking, given: Annotated[StreamPage, Query()]) -> Response:
    """List the events of the execution, as they stand in the log."""
    found = list_execution_events(reading, execution_named(execution_id), after=given.after, **given.page)
    return view(masking.events(found))


@router.get(
    "/executions/{execution_id}/results/{digest}",
    summary="A large result",
    **openapi.query(Any, 404),
)
def result(execution_id: str, digest: str, reading: Reads, masking: Masking) -> Response:
    """Return an output that is too large for an event, whole, by the digest in the reference that stands for it.

    404 also where the execution, or its tree, has sensitive fields that the caller may not see.
    """
    id = execution_named(execution_id)
    masking.require_unmasked(id)
    return Response(get_large_result(reading, id, digest), media_type="application/json")


@router.post(
    "/executions/{execution_id}/cancel",
    summary="Cancel an execution",
    **openapi.command(CancelExecution, ExecutionReceipt, 404, 410, rehearsed=True),
)
async def cancel(execution_id: str, request: CommandedOrRehearsed) -> Response:
    """Cancel the execution and its attempts under way. Again: a duplicate."""
    command = request.read(CancelExecution, execution_id=execution_id)
    return await carry_out(request, request.handlers.executions.cancel, command, ExecutionReceipt)
