"""Steps: agents that answer later call back here, and show the token of the attempt."""

import hmac
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import openapi
from api.asking import bearer_token, cause_of
from api.bodies import json_object, read_body
from api.carrying_out import carry_out
from api.fields import Fields
from api.parameters import NO_PARAMETERS
from api.receipts import CompleteBody, FailBody, HeartbeatBody, StepAnswered
from api.references import execution_named
from api.refusals import TokenInvalid
from commands.executions import AnswerStep
from commands.timers import RecordHeartbeat
from domain.agents.calls import Answer, Completed, Failed, StepError, Usage, callback_token
from domain.event import Cause
from domain.executions.decisions.refusals import StepNotRunning
from domain.money import Money
from gateway.answers import read_cost, read_usage, refuse_nul
from gateway.failures import AnswerMalformed

ERROR_CODE = r"[a-z][a-z0-9_]{0,63}"
LONGEST_MESSAGE = 10_000
# The token of another attempt of the same step tells that the caller is the agent, and which mistake it made.
ATTEMPTS_TRIED = 100

router = APIRouter(prefix="/executions/{execution_id}/steps/{step}", tags=["executions"])


@router.post(
    "/complete",
    dependencies=[NO_PARAMETERS],
    summary="An agent's answer",
    **openapi.command(StepAnswered, 200, 403, 404, body=CompleteBody, required=True),
)
async def complete(execution_id: str, step: str, request: Request) -> Response:
    """For agents that said they would answer later. A late or repeated answer is a duplicate."""
    body = await read_body(request)
    fields = Fields(json_object(request, body), "attempt", "token", "output", "usage", "cost")
    output = fields.anything("output")
    try:
        refuse_nul(output)
    except AnswerMalformed as error:
        fields.wrong("output", str(error))
    usage, cost = _usage(fields), _cost(fields, body)
    return await _answer(request, body, fields, execution_id, step, lambda: Completed(output, usage, cost))


@router.post(
    "/fail",
    dependencies=[NO_PARAMETERS],
    summary="An agent's failure",
    **openapi.command(StepAnswered, 200, 403, 404, body=FailBody, required=True),
)
async def fail(execution_id: str, step: str, request: Request) -> Response:
    """For agents that said they would answer later, and cannot. What they used until then still counts."""
    body = await read_body(request)
    fields = Fields(json_object(request, body), "attempt", "token", "error", "usage", "cost")
    error = _error(fields)
    usage, cost = _usage(fields), _cost(fields, body)
    return await _answer(request, body, fields, execution_id, step, lambda: Failed(error, usage, cost))


@router.post(
    "/heartbeat",
    dependencies=[NO_PARAMETERS],
    summary="An agent's sign of life",
    **openapi.command(StepAnswered, 200, 403, 404, body=HeartbeatBody, required=True),
)
async def heartbeat(execution_id: str, step: str, request: Request) -> Response:
    """For agents that said they would answer later: the step's `heartbeat` begins anew. 409: the attempt is over."""
    body = await read_body(request)
    fields = Fields(json_object(request, body), "attempt", "token")
    id, attempt = _attempt(request, fields, execution_id, step)
    command = RecordHeartbeat(id, step, attempt)
    timers = request.app.state.services.timers
    return await carry_out(
        request,
        body,
        lambda cause, identified: timers.heartbeat(command, cause, identified),
        cause=_by_the_agent(request),
        always={"step": step, "attempt": attempt, "duplicate": False},
    )


async def _answer(request: Request, body: bytes, fields: Fields, execution_id: str, step: str, read: Any) -> Response:
    id, attempt = _attempt(request, fields, execution_id, step)
    answer: Answer = read()
    command = AnswerStep(id, step, attempt, answer)
    executions = request.app.state.services.executions
    return await carry_out(
        request,
        body,
        lambda cause, identified: executions.answer(command, cause, identified),
        cause=_by_the_agent(request),
        always={"step": step, "attempt": attempt, "duplicate": False},
    )


def _attempt(request: Request, fields: Fields, execution_id: str, step: str) -> tuple[UUID, int]:
    """The execution and the attempt, for an agent that shows its token. Raises Malformed with all that is wrong."""
    attempt = fields.whole("attempt", required=True, lowest=1)
    token = fields.text("token") or bearer_token(request)
    fields.check()
    assert attempt is not None
    id = execution_named(execution_id)
    _authenticate(request.app.state.services.callback_key, token, id, step, attempt)
    return id, attempt


def _by_the_agent(request: Request) -> Cause:
    caused = cause_of(request)
    return Cause(caused.at, "agent:callback", caused.causation)


def _authenticate(key: bytes, token: str | None, id: UUID, step: str, attempt: int) -> None:
    """Raises TokenInvalid, or StepNotRunning for the token of another attempt."""
    if token is None:
        raise TokenInvalid("the attempt's token is missing: send it as `token`, or as Authorization: Bearer")
    shown = token.encode("utf-8", "surrogatepass")
    if hmac.compare_digest(shown, callback_token(key, id, step, attempt).encode()):
        return
    for other in range(1, ATTEMPTS_TRIED + 1):
        if hmac.compare_digest(shown, callback_token(key, id, step, other).encode()):
            raise StepNotRunning(f"this is the token of attempt {other}, not of {attempt}", code="wrong_attempt")
    raise TokenInvalid("this is not the token of that attempt")


def _error(fields: Fields) -> StepError:
    value = fields.object("error", required=True) or {}
    inner = fields.inside("error", value, "code", "message", "permanent")
    code = inner.text("code", required=True, longest=64, pattern=ERROR_CODE)
    message = inner.text("message", required=True, longest=LONGEST_MESSAGE)
    return StepError(code or "", message or "", permanent=inner.flag("permanent"))


def _usage(fields: Fields) -> Usage | None:
    value = fields.object("usage")
    try:
        refuse_nul(value)
        return read_usage(value)
    except AnswerMalformed as error:
        fields.wrong("usage", str(error))
        return None


def _cost(fields: Fields, body: bytes) -> Money | None:
    value = fields.object("cost")
    try:
        return read_cost(value, body)
    except AnswerMalformed as error:
        fields.wrong("cost", str(error))
        return None
