"""Steps: agents that answer later call back here, and show the token of the attempt, or a key of their own."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import anyio
import msgspec
from fastapi import APIRouter, Depends
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from api import openapi
from api.receipts import CommandReceipt, carry_out
from api.step_tokens import StepTokens
from commands.command import C, Handle
from commands.executions import AnswerStep
from commands.timers import RecordHeartbeat
from domain.agents.calls import Answer, Completed, Failed, StepError, Usage
from domain.costs.usage import Metered
from domain.executions.decisions.refusals import StepNotRunning
from domain.money import Money
from edge.bodies import read_body
from edge.command_request import CommandRequest
from edge.declared import Read
from edge.dependencies import door_of
from edge.headers import bearer_token, idempotency_key
from edge.parameters import refuse_parameters
from edge.principal import Principal, admit_key, cause_of, shows_key
from edge.references import execution_named
from edge.refusals import NotPermitted, TokenInvalid
from edge.visibility import require_visible_execution
from gateway.answers import read_cost, read_usage, refuse_nul
from gateway.failures import AnswerMalformed
from gateway.usage.ours import measure_ours

router = APIRouter(prefix="/executions/{execution_id}/steps/{step}", tags=["executions"])

Count = Annotated[int, Meta(ge=0, le=10**12)]


class StepReceipt(CommandReceipt, kw_only=True):
    """An agent's answer was recorded, now or before."""

    states_duplicate = True

    execution_id: UUID
    step: str
    attempt: int


class UsageBody(msgspec.Struct):
    """Tokens that the attempt used; the event keeps further fields as the agent sent them."""

    input_tokens: Count = 0
    output_tokens: Count = 0
    cached_tokens: Count = 0
    provider: str | None = None
    model: str | None = None
    cache_read_tokens: Count = 0
    cache_write_5m_tokens: Count = 0
    cache_write_1h_tokens: Count = 0
    reasoning_tokens: Count = 0
    units: dict[str, Count] | None = None
    usage_id: Annotated[str, Meta(max_length=200)] | None = None


class CostBody(msgspec.Struct, forbid_unknown_fields=True):
    """The cost of the attempt: amount is an exact decimal, such as "0.0049"."""

    amount: str
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]


class ErrorBody(msgspec.Struct, forbid_unknown_fields=True):
    """The reason of the failure. permanent: another attempt cannot help."""

    code: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,63}$")]
    message: Annotated[str, Meta(max_length=10_000)]
    permanent: bool = False


def _readable(read: Callable[[Any, bytes], Any]) -> Callable[[Any, bytes], Any]:
    """Return `read` with the gateway's refusals as ValueErrors, as doors expect them."""

    def reading(value: Any, body: bytes) -> Any:
        try:
            return read(value, body)
        except AnswerMalformed as error:
            raise ValueError(str(error)) from None

    return reading


def _output(value: Any, _body: bytes) -> Any:
    refuse_nul(value)
    return value


def _usage(value: Any, _body: bytes) -> Usage | None:
    refuse_nul(value)
    return read_usage(value)


def _metered(usage: Usage | None) -> Metered | None:
    return None if usage is None else measure_ours(usage.raw).metered


StepOutput = Annotated[Any, Read(_readable(_output), Any)]
UsageField = Annotated[Usage | None, Read(_readable(_usage), UsageBody | None)]
CostField = Annotated[Money | None, Read(_readable(read_cost), CostBody | None)]
AttemptNumber = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class CompleteBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An agent's answer. token: of the attempt, unless ``Authorization: Bearer`` shows it or the agent's key."""

    output: StepOutput
    usage: UsageField = None
    cost: CostField = None
    attempt: AttemptNumber
    token: str | None = None

    @property
    def answer(self) -> Answer:
        """The answer in the form that the gateway delivers."""
        return Completed(self.output, self.usage, self.cost, _metered(self.usage))


class FailBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An agent's failure. token: as for an answer."""

    error: ErrorBody
    usage: UsageField = None
    cost: CostField = None
    attempt: AttemptNumber
    token: str | None = None

    @property
    def answer(self) -> Answer:
        """The answer in the form that the gateway delivers."""
        error = StepError(self.error.code, self.error.message, permanent=self.error.permanent)
        return Failed(error, self.usage, self.cost, _metered(self.usage))


class HeartbeatBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An agent's heartbeat. token: as for an answer."""

    attempt: AttemptNumber
    token: str | None = None


class _Stated(msgspec.Struct):
    """The parts of a body that show who sends it; the rest is skipped, not made."""

    token: str | None = None
    attempt: int = 0


_PROOF = msgspec.json.Decoder(_Stated)


async def _from_agent(execution_id: str, step: str, sent: Request) -> CommandRequest:
    """Return the request, whose body is not parsed before it shows a token of the step, or the key of its agent.

    A bearer token that is neither a token of the step nor a key is refused before the body is read. Raises
    TokenInvalid, NotPermitted for the key of another agent, or NotFound.
    """
    refuse_parameters(sent)
    id = execution_named(execution_id)
    tokens = StepTokens(door_of(sent).callback_key, id, step)
    bearer = bearer_token(sent)
    if bearer is not None and await tokens.attempt(bearer) is None and not await shows_key(sent):
        raise TokenInvalid("this is not the token of that attempt")
    request = CommandRequest(sent, await read_body(sent))
    stated = _stated(request.body)
    token = stated.token or bearer
    if token is None:
        raise TokenInvalid("the attempt's token is missing: send it as `token`, or as Authorization: Bearer")
    if await tokens.attempt(token, stated.attempt) is not None:
        await request.parse_aside()
        return request
    principal = await admit_key(sent, AnswerStep.scope) if stated.token is None else None
    if principal is None:
        raise TokenInvalid("this is not the token of that attempt")
    await require_visible_execution(request.door, principal, id)
    agent_of = request.handlers.executions.agent_of
    if not principal.answers_for(await anyio.to_thread.run_sync(agent_of, id, step, stated.attempt)):
        raise NotPermitted("this key answers no attempt of that agent", permission=AnswerStep.scope.value)
    await request.parse_aside()
    return request


def _principal(request: CommandRequest) -> Principal | None:
    """Return the principal of a request that shows a key in place of a token."""
    principal: Principal | None = getattr(request.request.state, "principal", None)
    return principal


def _stated(body: bytes) -> _Stated:
    try:
        return _PROOF.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return _Stated()


FromAgent = Annotated[CommandRequest, Depends(_from_agent)]


@router.post(
    "/complete",
    summary="An agent's answer",
    **openapi.command(AnswerStep, StepReceipt, 403, 404, 410, body=CompleteBody),
)
async def complete(execution_id: str, step: str, request: FromAgent) -> Response:
    """Record the answer of an agent that accepted the attempt earlier. A late or repeated answer is a duplicate."""
    return await _answer(request, CompleteBody, execution_id, step)


@router.post(
    "/fail", summary="An agent's failure", **openapi.command(AnswerStep, StepReceipt, 403, 404, 410, body=FailBody)
)
async def fail(execution_id: str, step: str, request: FromAgent) -> Response:
    """Record the failure of an agent that accepted the attempt earlier. Usage and cost until then still count."""
    return await _answer(request, FailBody, execution_id, step)


@router.post(
    "/heartbeat",
    summary="An agent's sign of life",
    **openapi.command(RecordHeartbeat, StepReceipt, 403, 404, 410, body=HeartbeatBody),
)
async def heartbeat(execution_id: str, step: str, request: FromAgent) -> Response:
    """Start the step's `heartbeat` anew, for an agent that accepted the attempt earlier. 409: the attempt is over."""
    body = request.read(HeartbeatBody)
    id = await _authenticated(request, execution_id, step, body)
    command = RecordHeartbeat(id, step, body.attempt)
    return await _carry_out(request, request.handlers.timers.heartbeat, command, f"{id}:{step}")


async def _answer(
    request: CommandRequest, kind: type[CompleteBody | FailBody], execution_id: str, step: str
) -> Response:
    body = request.read(kind)
    id = await _authenticated(request, execution_id, step, body)
    command = AnswerStep(id, step, body.attempt, body.answer)
    return await _carry_out(request, request.handlers.executions.answer, command, f"{id}:{step}")


async def _carry_out(request: CommandRequest, handle: Handle[C], command: C, place: str) -> Response:
    principal = _principal(request)
    actor = "agent:callback" if principal is None else principal.actor
    cause, key = cause_of(request.request, actor), idempotency_key(request.request)
    # All agents that call back with a token are one actor: the keys of each step stand apart.
    key = None if key is None else f"callback:{place}:{key}"
    return await carry_out(request, handle, command, StepReceipt, cause=cause, key=key)


async def _authenticated(
    request: CommandRequest, execution_id: str, step: str, body: CompleteBody | FailBody | HeartbeatBody
) -> UUID:
    """Return the id of the execution. Raises TokenInvalid, or StepNotRunning for another attempt's token."""
    id = execution_named(execution_id)
    if _principal(request) is not None:
        if _stated(request.body).attempt != body.attempt:
            raise TokenInvalid("the attempt is stated twice")
        return id
    token = body.token or bearer_token(request.request) or ""
    attempt = await StepTokens(request.door.callback_key, id, step).attempt(token, body.attempt)
    if attempt is None:
        raise TokenInvalid("this is not the token of that attempt")
    if attempt != body.attempt:
        raise StepNotRunning(f"this is the token of attempt {attempt}, not of {body.attempt}", code="wrong_attempt")
    return id
