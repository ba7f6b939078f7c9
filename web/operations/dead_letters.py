"""Dead letters: the events that read models could not digest; one, to try it again or to skip it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.read_models import RetryDeadLetter, SkipDeadLetter
from edge.admitted import Caller, Masking
from edge.dependencies import Reads, door_of
from edge.parameters import Position
from edge.principal import cause_of
from edge.scopes import READ, requires
from queries.dead_letters import get_dead_letter, list_dead_letters
from web.forms import PageParameters, carry_out, form_fields, required
from web.operations.tabs import tab

HREF = "/operations/dead-letters"

router = APIRouter(prefix=HREF)


class DeadLetterFields(PageParameters):
    """The fields of the filters; an empty one filters nothing."""

    projection: Annotated[str, Query(max_length=100)] = ""
    skipped: bool = False


@router.get("", **requires(READ))
def list_(request: Request, reading: Reads, masking: Masking, given: Annotated[DeadLetterFields, Query()]) -> Response:
    """Return the page of dead letters, the newest first."""
    found = list_dead_letters(
        reading,
        projection=given.projection or None,
        skipped=given.skipped,
        cursor=given.cursor,
        min_position=given.min_position,
    )
    found = masking.dead_letters(found)
    return tab(
        request,
        "dead-letters.html",
        name="Dead letters",
        freshness=found,
        items=found.items,
        next_cursor=found.next_cursor,
        given=given,
    )


@router.get("/{projection}/{position}", **requires(READ))
def one(
    projection: str, position: Position, request: Request, reading: Reads, caller: Caller, masking: Masking
) -> Response:
    """Return the page of one dead letter, with the forms of its operator."""
    found = masking.dead_letter(get_dead_letter(reading, projection, position))
    return tab(
        request,
        "dead-letter.html",
        name="Dead letters",
        title=f"Event {position:,} in {found.projection}",
        crumbs=[("Dead letters", HREF), (f"event {position:,}", None)],
        found=found,
        acts=caller.may(SkipDeadLetter.scope),
    )


@router.post("/{projection}/{position}/retry", **requires(RetryDeadLetter.scope))
async def retry(projection: str, position: Position, request: Request) -> Response:
    """Request a rebuild, which tries the event again, and show its progress."""
    fields = await form_fields(request, "reason")
    command = RetryDeadLetter(projection, position, required(fields, "reason"))
    await carry_out(door_of(request).handlers.read_models.retry_letter, command, cause_of(request))
    return RedirectResponse(f"/operations/read-models/{projection}?done=act-requested", 303)


@router.post("/{projection}/{position}/skip", **requires(SkipDeadLetter.scope))
async def skip(projection: str, position: Position, request: Request) -> Response:
    """Skip the dead letter, and return to the list."""
    fields = await form_fields(request, "reason")
    command = SkipDeadLetter(projection, position, required(fields, "reason"))
    await carry_out(door_of(request).handlers.read_models.skip_letter, command, cause_of(request))
    return RedirectResponse(f"{HREF}?done=letter-skipped", 303)
