"""Webhook triggers: a delivery starts an execution."""

from typing import Any

import anyio
from fastapi import APIRouter
from starlette.responses import Response

from api import openapi
from api.executions import StartReceipt
from api.receipts import carry_out
from api.signatures import require_secret
from commands.executions import StartExecution
from domain.jsonvalue import parse_json
from domain.refusal import Refusal
from edge.bodies import JSON, is_json, media_type
from edge.command_request import CommandedWithInput, CommandRequest
from edge.headers import delivery_key
from edge.principal import cause_of, require_api_key
from edge.refusals import WrongMediaType

router = APIRouter(prefix="/triggers", tags=["executions"])


@router.post(
    "/webhook/{trigger_id}",
    summary="Deliver to a webhook trigger",
    **openapi.command(StartExecution, StartReceipt, 404, status=202, body=Any, required=False),
)
async def deliver(trigger_id: str, request: CommandedWithInput) -> Response:
    """Start an execution. The body, any JSON, is the trigger's payload; declared fields of an object are its input.

    A repeat with the same webhook-id, or Idempotency-Key, starts nothing. The caller shows the trigger's secret by a
    Standard Webhooks signature or as X-Webhook-Secret; a trigger without one requires the API key, where there is one.
    """
    sent = request.request
    try:
        webhook = await anyio.to_thread.run_sync(request.handlers.webhooks.find, trigger_id)
    except Refusal:
        require_api_key(sent)  # the answer must not reveal to a caller without the key which triggers exist
        raise
    if webhook.trigger.secret is not None:
        allowed = request.handlers.policy.secrets
        require_secret(sent, request.body, webhook.trigger.secret, request.door.clock.now(), allowed)
    else:
        require_api_key(sent)
    command = webhook.starting(_payload(request))
    cause, key = cause_of(sent, f"trigger:{trigger_id}"), delivery_key(sent, trigger_id)
    return await carry_out(request, request.handlers.executions.start, command, StartReceipt, cause=cause, key=key)


def _payload(request: CommandRequest) -> Any:
    if not request.body:
        return None
    kind = media_type(request.request)
    if kind and not is_json(kind):
        raise WrongMediaType(f"the body is sent as {JSON}")
    return parse_json(request.body)
