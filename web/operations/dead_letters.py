"""Dead letters: the events that read models could not digest."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from edge.dependencies import Reads
from edge.scopes import READ, requires
from queries.dead_letters import list_dead_letters
from web.forms import PageParameters
from web.operations.tabs import tab

HREF = "/operations/dead-letters"

router = APIRouter(prefix=HREF)


class DeadLetterFields(PageParameters):
    """The fields of the filters; an empty one filters nothing."""

    projection: Annotated[str, Query(max_length=100)] = ""


@router.get("", **requires(READ))
def list_(request: Request, reading: Reads, given: Annotated[DeadLetterFields, Query()]) -> Response:
    """Return the page of dead letters, the newest first."""
    found = list_dead_letters(
        reading, projection=given.projection or None, cursor=given.cursor, min_position=given.min_position
    )
    return tab(
        request,
        "dead-letters.html",
        name="Dead letters",
        freshness=found,
        items=found.items,
        next_cursor=found.next_cursor,
        given=given,
    )
