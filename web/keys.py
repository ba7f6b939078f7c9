"""Keys: make one, which is shown once, list them, revoke one."""

from functools import partial
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.keys import CreateKey, RevokeKey, new_secret
from domain.identity import new_id
from domain.keys.scopes import KeyScope
from domain.refusal import Problem
from edge.dependencies import Reads, door_of
from edge.instants import parse_instant
from edge.principal import cause_of
from edge.references import key_named
from edge.refusals import malformed
from edge.scopes import READ_KEYS, requires
from queries.keys import list_keys
from web.forms import PageParameters, carry_out, form_fields, required
from web.layout import page

router = APIRouter(prefix="/keys")

MAKES = requires(CreateKey.scope)


@router.get("", **requires(READ_KEYS))
def list_(request: Request, reading: Reads, given: Annotated[PageParameters, Query()]) -> Response:
    """Return the page of keys, the newest first."""
    found = list_keys(reading, cursor=given.cursor, min_position=given.min_position)
    return page(
        request,
        "keys.html",
        title="Keys",
        nav="Keys",
        freshness=found,
        items=found.items,
        next_cursor=found.next_cursor,
        given=given,
        scopes=list(KeyScope),
        made=None,
    )


@router.post("", **MAKES)
async def create(request: Request) -> Response:
    """Make a key, and show it: this page is the only one that does."""
    fields = await form_fields(request, "name", "scopes", "teams", "processes", "expires")
    secret = new_secret()
    lists = {name: _listed(fields[name]) for name in ("scopes", "teams", "processes")}
    expires_at = None
    if fields["expires"]:
        try:
            expires_at = parse_instant(f"{fields['expires']}T00:00:00Z")
        except ValueError:
            raise malformed([Problem("invalid_value", "a day is written as 2027-01-31", "expires")]) from None
    command = CreateKey(new_id(), secret, required(fields, "name"), expires_at=expires_at, **lists)
    receipt = await carry_out(door_of(request).handlers.keys.create, command, cause_of(request))
    door_of(request).keys.expire()
    show = partial(page, title="New key", nav="Keys", secret=secret.text, name=command.name, made_at=receipt.position)
    answer = await anyio.to_thread.run_sync(show, request, "key-made.html")
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post("/{key_id}/revoke", **requires(RevokeKey.scope))
async def revoke(key_id: str, request: Request) -> Response:
    """Revoke a key, and return to the list."""
    fields = await form_fields(request, "reason")
    command = RevokeKey(key_named(key_id), required(fields, "reason"))
    receipt = await carry_out(door_of(request).handlers.keys.revoke, command, cause_of(request))
    door_of(request).keys.expire()
    return RedirectResponse(f"/keys?min_position={receipt.position}&done=revoked", 303)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.replace(",", " ").split() if part.strip()]
