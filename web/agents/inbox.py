"""The inbox of one agent: its entries as data, how far it is read, and the form of its filter."""

import functools
from collections.abc import Mapping
from typing import Annotated

import anyio
import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.inbox import SetInboxFilter
from domain.inbox.concerns import OUTCOMES, TYPES
from domain.inbox.filters import InboxFilter
from domain.refusal import Malformed, Problem
from edge.admitted import Caller, Masking
from edge.dependencies import Reads, door_of
from edge.inbox import require_inbox
from edge.inbox_contents import masked_inbox
from edge.principal import Principal, cause_of
from edge.references import agent_named
from edge.scopes import READ, READ_INBOX, requires
from edge.sensitive import SensitiveViews
from queries.inbox.contents import read_contents
from queries.inbox.page import get_inbox
from queries.inbox.state import get_inbox_state
from queries.reading import Reading
from web.forms import PageParameters, carry_out, form_fields
from web.layout import page

FIELDS = {
    "processes": "names",
    "steps": "ids; then entries of whole executions do not pass",
    "types": f"empty: what its roles have by default; of {', '.join(sorted(TYPES))}",
    "outcomes": f"of {', '.join(sorted(OUTCOMES))}",
    "labels": "of processes",
}

router = APIRouter(prefix="/agents/{name}/inbox")


@router.get("", **requires(READ_INBOX, listed=True))
def inbox(
    name: str,
    request: Request,
    reading: Reads,
    caller: Caller,
    masking: Masking,
    given: Annotated[PageParameters, Query()],
) -> Response:
    """Return the page of the inbox, after a cursor or after the entries that are acknowledged."""
    require_inbox(caller, agent_named(name))
    return _page(request, reading, caller, masking, name, given=given)


@router.post("/filter", **requires(SetInboxFilter.scope, listed=True))
async def set_filter(name: str, request: Request, reading: Reads, caller: Caller, masking: Masking) -> Response:
    """Set the filter, and return to the page; or return the page with every problem."""
    require_inbox(caller, agent_named(name), writes=True)
    typed = await form_fields(request, *FIELDS)
    fields = {field: [each.strip() for each in text.split(",") if each.strip()] for field, text in typed.items()}
    try:
        command = SetInboxFilter(name, **fields)
        receipt = await carry_out(door_of(request).handlers.inboxes.set_filter, command, cause_of(request))
    except Malformed as malformed:
        again = functools.partial(_page, request, reading, caller, masking, name, typed, malformed.problems)
        return await anyio.to_thread.run_sync(again)
    return RedirectResponse(f"/agents/{name}/inbox?min_position={receipt.position}&done=filter-set", 303)


def _page(
    request: Request,
    reading: Reading,
    caller: Principal,
    masking: SensitiveViews,
    name: str,
    typed: Mapping[str, str] | None = None,
    problems: list[Problem] | None = None,
    *,
    given: PageParameters | None = None,
) -> Response:
    asked = given or PageParameters()
    state = get_inbox_state(reading, name, within=caller.processes, min_position=asked.min_position)
    found = get_inbox(reading, name, cursor=asked.cursor, limit=asked.limit, within=caller.processes)
    found = masked_inbox(masking, found, functools.partial(read_contents, reading))
    return page(
        request,
        "inbox.html",
        title=f"Inbox of {name}",
        nav="Agents",
        code=422 if problems else 200,
        freshness=state if typed is None else None,
        crumbs=[("Agents", "/agents"), (name, f"/agents/{name}"), ("Inbox", None)],
        state=state,
        found=found,
        given=asked,
        fields=FIELDS,
        typed=typed or _typed(state.filter),
        filtered=state.filter != InboxFilter(),
        problems=problems or [],
        sets=caller.answers_for(name),
        shows_webhooks=caller.may(READ) and not caller.processes,
    )


def _typed(filter: InboxFilter) -> dict[str, str]:
    return {name: ", ".join(values) for name, values in msgspec.structs.asdict(filter).items()}
