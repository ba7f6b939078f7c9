"""The webhooks of an agent's inbox: add, list, remove; their dead deliveries, and another try."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.receipts import CommandReceipt, carry_out
from commands.inbox_webhooks import AddInboxWebhook, RemoveInboxWebhook, RetryInboxWebhook
from edge.command_request import Commanded
from edge.dependencies import Reads
from edge.parameters import NO_PARAMETERS, Parameters
from edge.references import agent_named, webhook_named
from edge.scopes import READ_CONFIGURATION
from queries.inbox.webhooks import DeadDeliveries, InboxWebhooks, list_dead_deliveries, list_inbox_webhooks

router = APIRouter(prefix="/agents/{name}/webhooks", tags=["agents"])


class InboxWebhookReceipt(CommandReceipt, kw_only=True):
    """A command on a webhook was carried out."""

    name: str
    webhook_id: UUID


class RetryReceipt(InboxWebhookReceipt, kw_only=True):
    """The webhook is resumed. deliveries: dead ones that are tried again."""

    deliveries: int


class DeliveryParameters(Parameters):
    """state: of the deliveries; those that failed for good are listed."""

    state: Literal["dead"] = "dead"


@router.post("", summary="Add a webhook", **openapi.command(AddInboxWebhook, InboxWebhookReceipt, 404, status=201))
async def add(name: str, request: Commanded) -> Response:
    """Deliver the entries of the inbox from now on; the receiver first repeats a challenge. Again: a duplicate."""
    command = request.read(AddInboxWebhook, name=name)
    return await carry_out(request, request.handlers.inbox_webhooks.add, command, InboxWebhookReceipt)


@router.get(
    "",
    summary="List webhooks",
    dependencies=[NO_PARAMETERS],
    **openapi.query(InboxWebhooks, 404, permission=READ_CONFIGURATION),
)
def list_(name: str, reading: Reads) -> Response:
    """List the webhooks of an agent, with their state."""
    return view(list_inbox_webhooks(reading, agent_named(name)))


@router.delete(
    "/{webhook_id}", summary="Remove a webhook", **openapi.command(RemoveInboxWebhook, InboxWebhookReceipt, 404)
)
async def remove(name: str, webhook_id: str, request: Commanded) -> Response:
    """Remove a webhook and its dead deliveries. The inbox stays as it is."""
    command = request.read(RemoveInboxWebhook, name=name, webhook_id=webhook_id)
    return await carry_out(request, request.handlers.inbox_webhooks.remove, command, InboxWebhookReceipt)


@router.get(
    "/{webhook_id}/deliveries",
    summary="Dead deliveries",
    **openapi.query(DeadDeliveries, 404),
)
def deliveries(name: str, webhook_id: str, reading: Reads, _given: Annotated[DeliveryParameters, Query()]) -> Response:
    """List the deliveries that failed for good, in the order of the log."""
    return view(list_dead_deliveries(reading, agent_named(name), webhook_named(webhook_id)))


@router.post("/{webhook_id}/retry", summary="Try again", **openapi.command(RetryInboxWebhook, RetryReceipt, 404))
async def retry(name: str, webhook_id: str, request: Commanded) -> Response:
    """Resume a webhook that is suspended or waits, and try its dead deliveries again."""
    command = request.read(RetryInboxWebhook, name=name, webhook_id=webhook_id)
    return await carry_out(request, request.handlers.inbox_webhooks.retry, command, RetryReceipt)
