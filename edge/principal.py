"""The principal of a request: X-Actor names the actor, and the API key admits the caller."""

import hmac
import re

from fastapi import Depends, Request

from domain.event import Cause
from edge.dependencies import door_of
from edge.headers import bearer_token, invalid_header, one_value
from edge.refusals import Unauthorised

_ACTOR = re.compile(r"[A-Za-z0-9._@-]{1,64}")


def cause_of(request: Request, actor: str | None = None) -> Cause:
    """Return the cause of a command: `actor` (default: X-Actor), the present time, the request's id.

    Raises BadRequest.
    """
    acting = actor_of(request)
    return Cause(door_of(request).clock.now(), actor or acting, request.scope["request_id"])


def actor_of(request: Request) -> str:
    """Return ``user:<name>`` from X-Actor; default: ``user:anonymous``. Raises BadRequest."""
    name = one_value(request, "X-Actor")
    if name is None:
        return "user:anonymous"
    if not _ACTOR.fullmatch(name):
        raise invalid_header("X-Actor", "names who acts in at most 64 of A-Z a-z 0-9 . _ @ -")
    return f"user:{name}"


def require_api_key(request: Request) -> None:
    """Raise Unauthorised unless the caller shows the API key, or the door has none."""
    key = door_of(request).api_key
    if key is None:
        return
    shown = bearer_token(request)
    # Header values come decoded as Latin-1: encoded the same way they are the bytes that were sent.
    if shown is None or not hmac.compare_digest(shown.encode("latin-1"), key.encode()):
        raise Unauthorised("show the API key as Authorization: Bearer <key>")


async def _authorised(request: Request) -> None:
    require_api_key(request)


AUTHORISED = Depends(_authorised)
