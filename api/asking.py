"""Who asks, under which id, on which version, and whether it was asked before: what the headers say."""

import re
from datetime import UTC, datetime

from starlette.requests import Request

from api.refusals import BadRequest
from domain.event import Cause
from domain.refusal import Problem

_ACTOR = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_VERSION = re.compile(r'(?:W/)?"([0-9]{1,18})"')


def cause_of(request: Request) -> Cause:
    """Who acts, now, and because of which request. Raises BadRequest."""
    return Cause(datetime.now(UTC), actor_of(request), request.scope["request_id"])


def actor_of(request: Request) -> str:
    """``user:<name>`` from X-Actor, ``user:anonymous`` without it. Raises BadRequest."""
    name = request.headers.get("x-actor")
    if name is None:
        return "user:anonymous"
    if not _ACTOR.fullmatch(name):
        raise _bad("X-Actor", "names who acts in at most 64 of A-Z a-z 0-9 . _ @ -")
    return f"user:{name}"


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key, if there is one. Raises BadRequest."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise _bad("Idempotency-Key", "is 1 to 255 visible ASCII characters")
    return key


def delivery_key(request: Request, trigger: str) -> str | None:
    """What a delivery to a webhook trigger is told from others by: webhook-id, or else Idempotency-Key.

    In this order because webhook-id is what a signature covers. Raises BadRequest.
    """
    id = request.headers.get("webhook-id")
    if id is None:
        return idempotency_key(request)
    if not _KEY.fullmatch(id):
        raise _bad("webhook-id", "is 1 to 255 visible ASCII characters")
    return f"webhook:{trigger}:{id}"


def revision_asked(request: Request) -> int | None:
    """The version in If-Match, None when any will do. Raises BadRequest."""
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    found = _VERSION.fullmatch(given.strip())
    if found is None:
        raise _bad("If-Match", 'is a version in quotes, such as "3"')
    return int(found[1])


def etag(version: int) -> dict[str, str]:
    """The header that tells a version, to be sent back as If-Match."""
    return {"ETag": f'"{version}"'}


def bearer_token(request: Request) -> str | None:
    """What stands after ``Authorization: Bearer``, None without it."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _bad(header: str, what: str) -> BadRequest:
    message = f"{header} {what}"
    return BadRequest(message, [Problem("invalid_header", message, header)], code="invalid_header")
