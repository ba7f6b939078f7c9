"""Who may ask: whoever shows the API key, where there is one."""

import hmac

from fastapi import Depends, Request

from api.asking import bearer_token
from api.refusals import Unauthorised


async def _authorised(request: Request) -> None:
    require_api_key(request)


def require_api_key(request: Request) -> None:
    """Raises Unauthorised."""
    key: str | None = request.app.state.services.api_key
    if key is None:
        return
    shown = bearer_token(request)
    # Header values come decoded as Latin-1: encoded the same way they are the bytes that were sent.
    if shown is None or not hmac.compare_digest(shown.encode("latin-1"), key.encode()):
        raise Unauthorised("show the API key as Authorization: Bearer <key>")


AUTHORISED = Depends(_authorised)
