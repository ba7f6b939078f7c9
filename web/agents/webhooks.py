"""The webhooks of an agent's inbox: where its entries go, and the deliveries that failed for good."""

import functools
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

import anyio
import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.inbox_webhooks import AddInboxWebhook, RemoveInboxWebhook, RetryInboxWebhook
from domain.refusal import Malformed, Problem
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.principal import Principal, cause_of
from edge.references import agent_named, webhook_named
from edge.scopes import READ, READ_CONFIGURATION, requires
from queries.inbox.webhooks import InboxWebhookView, list_dead_deliveries, list_inbox_webhooks
from queries.reading import Reading
from web.forms import PageParameters, carry_out, form_fields
from web.layout import page

router = APIRouter(prefix="/agents/{name}/webhooks")


class WebhookFields(PageParameters):
    """webhook: the one of which the dead deliveries are shown."""

    webhook: Annotated[str, Query(max_length=100)] = ""


@router.get("", **requires(READ))
def list_(
    name: str, request: Request, reading: Reads, caller: Caller, given: Annotated[WebhookFields, Query()]
) -> Response:
    """Return the page of the webhooks of an agent, and of the dead deliveries of one."""
    of = webhook_named(given.webhook) if given.webhook else None
    return _page(request, reading, caller, agent_named(name), of)


@router.post("", **requires(AddInboxWebhook.scope))
async def add(name: str, request: Request, reading: Reads, caller: Caller) -> Response:
    """Add a webhook, and return to the page; or return the page with every problem."""
    typed = await form_fields(request, "url", "secret")
    try:
        command = msgspec.convert({"name": agent_named(name), **typed}, AddInboxWebhook)
    except msgspec.ValidationError:
        message = "the address begins with http:// or https://, and the secret is a reference as ${NAME}"
        problems = [Problem("invalid_value", message, "")]
    else:
        try:
            await carry_out(door_of(request).handlers.inbox_webhooks.add, command, cause_of(request))
            return RedirectResponse(f"/agents/{name}/webhooks?done=webhook-added", 303)
        except Malformed as malformed:
            problems = malformed.problems
    again = functools.partial(_page, request, reading, caller, agent_named(name), None, typed, problems)
    return await anyio.to_thread.run_sync(again)


@router.post("/{webhook_id}/remove", **requires(RemoveInboxWebhook.scope))
async def remove(name: str, webhook_id: str, request: Request) -> Response:
    """Remove a webhook, and return to the page."""
    command = RemoveInboxWebhook(agent_named(name), webhook_named(webhook_id))
    await carry_out(door_of(request).handlers.inbox_webhooks.remove, command, cause_of(request))
    return RedirectResponse(f"/agents/{name}/webhooks?done=webhook-removed", 303)


@router.post("/{webhook_id}/retry", **requires(RetryInboxWebhook.scope))
async def retry(name: str, webhook_id: str, request: Request) -> Response:
    """Resume a webhook and have its dead deliveries, or one of them, tried again; return to the page."""
    fields = await form_fields(request, "event_id")
    command = RetryInboxWebhook(agent_named(name), webhook_named(webhook_id), fields["event_id"][:100] or None)
    await carry_out(door_of(request).handlers.inbox_webhooks.retry, command, cause_of(request))
    return RedirectResponse(f"/agents/{name}/webhooks?webhook={webhook_id}&done=webhook-resumed", 303)


def _page(
    request: Request,
    reading: Reading,
    caller: Principal,
    name: str,
    of: UUID | None,
    typed: Mapping[str, str] | None = None,
    problems: list[Problem] | None = None,
) -> Response:
    found = list_inbox_webhooks(reading, name).items
    return page(
        request,
        "webhooks.html",
        title=f"Webhooks of {name}",
        nav="Agents",
        code=422 if problems else 200,
        crumbs=[("Agents", "/agents"), (name, f"/agents/{name}"), ("Webhooks", None)],
        agent=name,
        webhooks=[(each, _address(each, caller)) for each in found],
        of=next((each for each in found if each.webhook_id == of), None),
        dead=[] if of is None else list_dead_deliveries(reading, name, of).items,
        typed=typed or {},
        problems=problems or [],
        adds=caller.may(AddInboxWebhook.scope),
        retries=caller.may(RetryInboxWebhook.scope),
    )


def _address(webhook: InboxWebhookView, caller: Principal) -> str:
    """Return the address as far as the caller may read it: the path of a webhook often admits whoever has it."""
    if caller.may(READ_CONFIGURATION):
        return webhook.url
    parts = urlsplit(webhook.url)
    return f"{parts.scheme}://{parts.hostname}"
