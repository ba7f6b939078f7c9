"""The headers of a command: its key, the version that it was decided on, the token that the caller shows."""

import re

from starlette.requests import Request

from domain.refusal import Problem
from edge.refusals import BadRequest

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_VERSION = re.compile(r'(?:W/)?"([0-9]{1,18})"')


def idempotency_key(request: Request) -> str | None:
    """Return the Idempotency-Key; None without one. Raises BadRequest."""
    key = one_value(request, "Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise invalid_header("Idempotency-Key", "is 1 to 255 visible ASCII characters")
    return key


def delivery_key(request: Request, trigger: str) -> str | None:
    """Return the key of a delivery to a webhook trigger: its webhook-id, else its Idempotency-Key.

    In this order because a signature covers the webhook-id. Raises BadRequest.
    """
    id = one_value(request, "webhook-id")
    if id is None:
        return idempotency_key(request)
    if not _KEY.fullmatch(id):
        raise invalid_header("webhook-id", "is 1 to 255 visible ASCII characters")
    return f"webhook:{trigger}:{id}"


def expected_revision(request: Request) -> int | None:
    """Return the version in If-Match; None: any. Raises BadRequest."""
    given = one_value(request, "If-Match")
    if given is None or given.strip() == "*":
        return None
    found = _VERSION.fullmatch(given.strip())
    if found is None:
        raise invalid_header("If-Match", 'is a version in quotes, such as "3"')
    return int(found[1])


def etag(version: int) -> dict[str, str]:
    """Return the header that states a version, for a later If-Match."""
    return {"ETag": f'"{version}"'}


def bearer_token(request: Request) -> str | None:
    """Return the text after ``Authorization: Bearer``; None without it, and where the header is stated twice."""
    stated = request.headers.getlist("authorization")
    scheme, _, token = stated[0].partition(" ") if len(stated) == 1 else ("", "", "")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def one_value(request: Request, header: str) -> str | None:
    """Return the value of a header that is stated once; None without it. Raises BadRequest for one stated twice."""
    stated = request.headers.getlist(header)
    if len(stated) > 1:
        raise invalid_header(header, "is stated once")
    return stated[0] if stated else None


def invalid_header(header: str, rule: str) -> BadRequest:
    """Return the refusal of a header that breaks `rule`."""
    message = f"{header} {rule}"
    return BadRequest(message, [Problem("invalid_header", message, header)], code="invalid_header")
