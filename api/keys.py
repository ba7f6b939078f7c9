"""Keys: make, list, revoke."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.receipts import CommandReceipt, carry_out
from commands.keys import CreateKey, RevokeKey, new_secret
from domain.identity import new_id
from edge.command_request import Commanded
from edge.dependencies import Reads
from edge.parameters import Paged
from edge.scopes import READ_KEYS
from queries.keys import KeyView, list_keys
from queries.paging import Page

router = APIRouter(prefix="/keys", tags=["keys"])


class NewKeyReceipt(CommandReceipt, kw_only=True):
    """A key was made. key: shown this once; null in the answer to a repeat of the request."""

    key_id: UUID
    prefix: str
    key: str | None
    expires_at: datetime | None


class KeyReceipt(CommandReceipt, kw_only=True):
    """A key was revoked. duplicate: it was before."""

    key_id: UUID


@router.post("", summary="Make a key", **openapi.command(CreateKey, NewKeyReceipt, status=201))
async def create(request: Commanded) -> Response:
    """Make a key and show it, once. The first key has the scope admin and no expiry: else 409 `first_key_not_admin`."""
    secret = new_secret()
    command = request.read(CreateKey, key_id=new_id(), secret=secret)
    first, again = {"key": secret.text}, {"key": None}
    create = request.handlers.keys.create
    answer = await carry_out(request, create, command, NewKeyReceipt, first=first, again=again)
    request.door.keys.expire()
    return answer


@router.get("", summary="List keys", **openapi.query(Page[KeyView], permission=READ_KEYS))
def list_(reading: Reads, given: Annotated[Paged, Query()]) -> Response:
    """List keys, the newest first; expired and revoked ones too. Nobody sees a key itself again."""
    return view(list_keys(reading, **given.page))


@router.delete("/{key_id}", summary="Revoke a key", **openapi.command(RevokeKey, KeyReceipt, 404))
async def revoke(key_id: str, request: Commanded) -> Response:
    """Revoke a key; every process refuses it within five seconds. Again: a duplicate.

    409 `last_admin_key`: nobody could make another key afterwards, unless the body states `force`.
    """
    command = request.read(RevokeKey, key_id=key_id)
    answer = await carry_out(request, request.handlers.keys.revoke, command, KeyReceipt)
    request.door.keys.expire()
    return answer
