"""Webhook triggers: others call, and an execution is started."""

from typing import Any

import anyio
from fastapi import APIRouter, Request
from starlette.responses import Response

from api import openapi
from api.asking import cause_of, delivery_key
from api.authorising import require_api_key
from api.bodies import JSON, is_json, media_type, read_body
from api.carrying_out import carry_out
from api.executions import MAX_INPUT
from api.parameters import NO_PARAMETERS
from api.receipts import ExecutionStarted
from api.refusals import WrongMediaType
from api.signatures import require_secret
from domain.event import Cause
from domain.jsonvalue import parse_json
from domain.refusal import Refusal

router = APIRouter(prefix="/triggers", tags=["executions"])


@router.post(
    "/webhook/{trigger_id}",
    dependencies=[NO_PARAMETERS],
    summary="Deliver to a webhook trigger",
    **openapi.command(ExecutionStarted, 202, 404, body=Any),
)
async def deliver(trigger_id: str, request: Request) -> Response:
    """Any JSON: it is the trigger's payload, and an object's fields are the input where they are declared.

    A repeat with the same webhook-id, or Idempotency-Key, starts nothing. The trigger's secret is shown by a Standard
    Webhooks signature or as X-Webhook-Secret; a trigger without one asks for the API key, where there is one.
    """
    body = await read_body(request, MAX_INPUT)
    services = request.app.state.services
    try:
        webhook = await anyio.to_thread.run_sync(services.webhooks.find, trigger_id)
    except Refusal:
        require_api_key(request)  # who may not ask is not told what there is
        raise
    if webhook.trigger.secret is not None:
        require_secret(request, body, webhook.trigger.secret)
    else:
        require_api_key(request)
    command = webhook.starting(_payload(request, body))
    caused = cause_of(request)
    return await carry_out(
        request,
        body,
        lambda cause, identified: services.executions.start(command, cause, identified),
        status=202,
        cause=Cause(caused.at, f"trigger:{trigger_id}", caused.causation),
        key=delivery_key(request, trigger_id),
    )


def _payload(request: Request, body: bytes) -> Any:
    if not body:
        return None
    kind = media_type(request)
    if kind and not is_json(kind):
        raise WrongMediaType(f"the body is sent as {JSON}")
    return parse_json(body)
