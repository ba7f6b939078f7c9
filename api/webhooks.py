"""Webhook triggers: a delivery starts an execution."""

from typing import Any

import anyio
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import openapi
from api.executions import StartReceipt
from api.receipts import carry_out
from api.signatures import shown_secret
from commands.executions import StartExecution
from domain.refusal import Refusal
from edge.bodies import json_value, parse_aside
from edge.command_request import read_input
from edge.dependencies import door_of
from edge.headers import delivery_key
from edge.principal import admit, cause_of

router = APIRouter(prefix="/triggers", tags=["executions"])


@router.post(
    "/webhook/{trigger_id}",
    summary="Deliver to a webhook trigger",
    **openapi.command(StartExecution, StartReceipt, 404, status=202, body=Any, required=False, guarded=False),
)
async def deliver(trigger_id: str, sent: Request) -> Response:
    """Start an execution. The body, any JSON, is the trigger's payload; declared fields of an object are its input.

    A repeat with the same webhook-id, or Idempotency-Key, starts nothing. The caller shows the trigger's secret by a
    Standard Webhooks signature or as X-Webhook-Secret; a trigger without one requires the API key, where there is one.
    A body is sent as JSON by its Content-Type.
    """
    door = door_of(sent)
    try:
        webhook = await anyio.to_thread.run_sync(door.handlers.webhooks.find, trigger_id)
    except Refusal:
        # The answer must not reveal to a caller without a key which triggers exist.
        await admit(sent, StartExecution.scope)
        raise
    shown = None
    if webhook.trigger.secret is not None:
        shown = shown_secret(sent, webhook.trigger.secret, door.clock.now(), door.handlers.policy.secrets)
    else:
        await admit(sent, StartExecution.scope)
    request = await read_input(sent)
    if shown is not None:
        shown.require(request.body)
    command = webhook.starting(await parse_aside(request.body, lambda: json_value(sent, request.body)))
    cause, key = cause_of(sent, f"trigger:{trigger_id}"), delivery_key(sent, trigger_id)
    return await carry_out(request, request.handlers.executions.start, command, StartReceipt, cause=cause, key=key)
