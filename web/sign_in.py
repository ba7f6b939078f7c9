"""Sign in with a key, and sign out."""

from typing import Annotated
from urllib.parse import urlsplit

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from edge.dependencies import door_of
from edge.principal import key_reference, needs_key
from edge.sessions import COOKIE, begin
from web.forms import form_fields
from web.layout import keep_session
from web.templating import render

router = APIRouter()


@router.get("/sign-in")
def form(request: Request, to: Annotated[str, Query(alias="next", max_length=2_000)] = "/") -> Response:
    """Return the page of the form; where no key is needed, return to the overview."""
    if not needs_key(door_of(request)):
        return RedirectResponse("/", 303)
    return _form(to)


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Begin a session of the key in the form, and continue on the page that asked for it."""
    fields = await form_fields(request, "key", "next")
    door = door_of(request)
    if door.keys.stale:
        await anyio.to_thread.run_sync(door.keys.refresh)
    reference = key_reference(door, fields["key"])
    if reference is None:
        return _form(fields["next"], wrong=True)
    answer = RedirectResponse(_own(fields["next"]), 303)
    keep_session(request, answer, begin(reference, door.clock.now()))
    return answer


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session of this browser."""
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


def _form(to: str, *, wrong: bool = False) -> Response:
    return HTMLResponse(render("sign-in.html", {"next": _own(to), "wrong": wrong}), 401 if wrong else 200)


def _own(address: str) -> str:
    """Return the path of an address of this site; the overview in place of any other address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or not address.startswith("/") or address.startswith(("//", "/\\")):
        return "/"
    return address
