"""Repairs: retry an execution, or retry, skip or reassign one of its steps."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import openapi
from api.bodies import json_object, read_body
from api.carrying_out import carry_out
from api.fields import Fields
from api.parameters import NO_PARAMETERS
from api.receipts import ExecutionAnswered, ReasonBody, ReassignBody, StatedReasonBody, StepRepaired
from api.references import execution_named
from commands.repairs import ReassignStep, RetryExecution, RetryStep, SkipStep
from domain.agents.kinds import AGENT_NAME

router = APIRouter(prefix="/executions/{execution_id}", tags=["executions"])


@router.post(
    "/retry",
    dependencies=[NO_PARAMETERS],
    summary="Retry a failed execution",
    **openapi.command(ExecutionAnswered, 202, 404, body=ReasonBody),
)
async def retry_execution(execution_id: str, request: Request) -> Response:
    """The same execution goes on from what failed, in new attempts; what had ended well is not done again."""
    body = await read_body(request)
    fields = Fields(json_object(request, body), "reason")
    reason = fields.text("reason")
    fields.check()
    command = RetryExecution(execution_named(execution_id), reason or "")
    repairs = request.app.state.services.repairs
    return await carry_out(
        request, body, lambda cause, identified: repairs.retry_execution(command, cause, identified), status=202
    )


@router.post(
    "/steps/{step}/retry",
    dependencies=[NO_PARAMETERS],
    summary="Retry a step",
    **openapi.command(StepRepaired, 202, 404, body=StatedReasonBody, required=True),
)
async def retry_step(execution_id: str, step: str, request: Request) -> Response:
    """Begin it again: at once where it waits for another attempt, or in place of the one under way.

    When the execution failed, it goes on, with all that was given up. An attempt that is due already: a duplicate.
    """
    body = await read_body(request)
    fields = Fields(json_object(request, body), "reason")
    reason = fields.reason()
    fields.check()
    command = RetryStep(execution_named(execution_id), step, reason)
    repairs = request.app.state.services.repairs
    return await carry_out(
        request,
        body,
        lambda cause, identified: repairs.retry_step(command, cause, identified),
        status=202,
        always={"step": step},
    )


@router.post(
    "/steps/{step}/skip",
    dependencies=[NO_PARAMETERS],
    summary="Skip a step",
    **openapi.command(StepRepaired, 202, 404, body=StatedReasonBody, required=True),
)
async def skip_step(execution_id: str, step: str, request: Request) -> Response:
    """Go on without it; when the execution failed, with all else that was given up."""
    body = await read_body(request)
    fields = Fields(json_object(request, body), "reason")
    reason = fields.reason()
    fields.check()
    command = SkipStep(execution_named(execution_id), step, reason)
    repairs = request.app.state.services.repairs
    return await carry_out(
        request,
        body,
        lambda cause, identified: repairs.skip_step(command, cause, identified),
        status=202,
        always={"step": step},
    )


@router.post(
    "/steps/{step}/reassign",
    dependencies=[NO_PARAMETERS],
    summary="Give a step to another agent",
    **openapi.command(StepRepaired, 202, 404, body=ReassignBody, required=True),
)
async def reassign_step(execution_id: str, step: str, request: Request) -> Response:
    """The agent does it at once, in place of the attempt that is due, under way or to come. The same: a duplicate."""
    body = await read_body(request)
    fields = Fields(json_object(request, body), "agent", "reason")
    agent = fields.text("agent", required=True, pattern=AGENT_NAME.pattern)
    reason = fields.reason()
    fields.check()
    command = ReassignStep(execution_named(execution_id), step, agent or "", reason)
    repairs = request.app.state.services.repairs
    return await carry_out(
        request,
        body,
        lambda cause, identified: repairs.reassign_step(command, cause, identified),
        status=202,
        always={"step": step},
    )
