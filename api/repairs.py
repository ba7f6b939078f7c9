"""Repairs: retry an execution, or retry, skip or reassign one of its steps."""

from uuid import UUID

import anyio
from fastapi import APIRouter
from starlette.responses import Response

from api import openapi
from api.executions import ExecutionReceipt
from api.receipts import RehearsedReceipt, carry_out
from commands.command import CommandScope
from commands.monitors import monitored_by
from commands.repairs import ReassignStep, RetryExecution, RetryStep, SkipStep
from edge.command_request import CommandedOrRehearsed
from edge.principal import principal_of
from edge.references import execution_named
from edge.refusals import NotPermitted

router = APIRouter(prefix="/executions/{execution_id}", tags=["executions"])


class RepairReceipt(RehearsedReceipt, kw_only=True):
    """The decision of an operator about a step was recorded."""

    execution_id: UUID
    step: str


async def _require_monitor(request: CommandedOrRehearsed, execution_id: str, step: str) -> None:
    """Raise NotPermitted unless the caller may repair every step, or its agent monitors this one now."""
    caller = principal_of(request.request)
    if caller.may(CommandScope.EXECUTIONS_WRITE):
        return
    id = execution_named(execution_id)
    if not await anyio.to_thread.run_sync(monitored_by, request.handlers.log, caller.agents, id, step):
        permission = CommandScope.EXECUTIONS_WRITE.value
        raise NotPermitted("this key repairs the steps that its agent monitors, and no others", permission=permission)


@router.post(
    "/retry",
    summary="Retry a failed execution",
    **openapi.command(RetryExecution, ExecutionReceipt, 404, 410, status=202, rehearsed=True),
)
async def retry_execution(execution_id: str, request: CommandedOrRehearsed) -> Response:
    """Continue the same execution from the failed steps, in new attempts; completed steps stay completed."""
    command = request.read(RetryExecution, execution_id=execution_id)
    return await carry_out(request, request.handlers.repairs.retry_execution, command, ExecutionReceipt)


@router.post(
    "/steps/{step}/retry",
    summary="Retry a step",
    **openapi.command(RetryStep, RepairReceipt, 404, 410, status=202, rehearsed=True),
)
async def retry_step(execution_id: str, step: str, request: CommandedOrRehearsed) -> Response:
    """Begin the step again: at once if it waits for another attempt, or in place of the attempt under way.

    A failed execution continues, with every step that its failure abandoned. An attempt that is due: a duplicate.
    """
    await _require_monitor(request, execution_id, step)
    command = request.read(RetryStep, execution_id=execution_id, step=step)
    return await carry_out(request, request.handlers.repairs.retry_step, command, RepairReceipt)


@router.post(
    "/steps/{step}/skip",
    summary="Skip a step",
    **openapi.command(SkipStep, RepairReceipt, 404, 410, status=202, rehearsed=True),
)
async def skip_step(execution_id: str, step: str, request: CommandedOrRehearsed) -> Response:
    """Continue without the step; a failed execution continues, with every other step that its failure abandoned."""
    await _require_monitor(request, execution_id, step)
    command = request.read(SkipStep, execution_id=execution_id, step=step)
    return await carry_out(request, request.handlers.repairs.skip_step, command, RepairReceipt)


@router.post(
    "/steps/{step}/reassign",
    summary="Give a step to another agent",
    **openapi.command(ReassignStep, RepairReceipt, 404, 410, status=202, rehearsed=True),
)
async def reassign_step(execution_id: str, step: str, request: CommandedOrRehearsed) -> Response:
    """Have another agent do the step at once, in place of the attempt that is due, under way or to come.

    The agent that has the step already: a duplicate.
    """
    await _require_monitor(request, execution_id, step)
    command = request.read(ReassignStep, execution_id=execution_id, step=step)
    return await carry_out(request, request.handlers.repairs.reassign_step, command, RepairReceipt)
