"""Time travel: from an event's number, as the slider has it, to the page of the execution at that event."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from edge.dependencies import Reads
from edge.references import execution_named
from edge.scopes import READ, requires
from queries.moments import moment_of_event
from web.forms import PageParameters

router = APIRouter()


class MomentParameters(PageParameters):
    """event: its number in the stream, from 1 on; beyond the newest one: now."""

    event: Annotated[int, Query(ge=1, le=1 << 31)] = 1
    step: Annotated[str, Query(max_length=200)] = ""


@router.get("/executions/{execution_id}/at", **requires(READ))
def at(execution_id: str, reading: Reads, given: Annotated[MomentParameters, Query()]) -> Response:
    """Lead to the page of the execution as it was right after an event; after the newest one, to that of now."""
    id = execution_named(execution_id)
    found = moment_of_event(reading, id, given.event)
    wanted = {"step": given.step} if given.step else {}
    if found.after is not None:
        wanted["as_of"] = str(found.position)
    return RedirectResponse(f"/executions/{id}{'?' if wanted else ''}{urlencode(wanted)}#h-dia", 303)
