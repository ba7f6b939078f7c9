"""Executions that are set aside: the list; one, with another try and the cancel."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.set_aside import CancelSetAside, RetrySetAside
from edge.admitted import Caller, Masking
from edge.dependencies import Reads, door_of
from edge.principal import cause_of
from edge.references import execution_named
from edge.scopes import READ, requires
from queries.set_aside import get_set_aside, list_set_aside
from web.forms import PageParameters, carry_out, form_fields, required
from web.operations.tabs import EVERY_SECONDS, tab

HREF = "/operations/set-aside"

router = APIRouter(prefix=HREF)


@router.get("", **requires(READ))
def list_(request: Request, reading: Reads, masking: Masking, given: Annotated[PageParameters, Query()]) -> Response:
    """Return the page of what is set aside, the longest first."""
    found = masking.set_aside(list_set_aside(reading, cursor=given.cursor, min_position=given.min_position))
    return tab(
        request,
        "set-aside.html",
        name="Set aside",
        freshness=found,
        every=EVERY_SECONDS,
        items=found.items,
        next_cursor=found.next_cursor,
        given=given,
    )


@router.get("/{execution_id}", **requires(READ))
def one(execution_id: str, request: Request, reading: Reads, caller: Caller, masking: Masking) -> Response:
    """Return the page of one execution that is set aside, with the forms of its operator."""
    found = masking.one_set_aside(get_set_aside(reading, execution_named(execution_id)))
    return tab(
        request,
        "set-aside-one.html",
        name="Set aside",
        title=f"Set aside {str(found.execution_id)[-8:]}",
        crumbs=[("Set aside", HREF), (str(found.execution_id)[-8:], None)],
        found=found,
        acts=caller.may(RetrySetAside.scope),
    )


@router.post("/{execution_id}/retry", **requires(RetrySetAside.scope))
async def retry(execution_id: str, request: Request) -> Response:
    """Try the execution again at once, and return to the list."""
    fields = await form_fields(request, "reason")
    command = RetrySetAside(execution_named(execution_id), required(fields, "reason"))
    receipt = await carry_out(door_of(request).handlers.set_aside.retry, command, cause_of(request))
    return RedirectResponse(f"{HREF}?min_position={receipt.position}&done=set-aside-retried", 303)


@router.post("/{execution_id}/cancel", **requires(CancelSetAside.scope))
async def cancel(execution_id: str, request: Request) -> Response:
    """Cancel the execution, and return to the list."""
    fields = await form_fields(request, "reason")
    command = CancelSetAside(execution_named(execution_id), required(fields, "reason"))
    receipt = await carry_out(door_of(request).handlers.set_aside.cancel, command, cause_of(request))
    return RedirectResponse(f"{HREF}?min_position={receipt.position}&done=cancelled", 303)
