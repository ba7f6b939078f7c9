"""One read model: its tables, and its acts with their consequences; a projector carries them out."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.read_models import RequestAct, WithdrawAct
from domain.refusal import NotFound
from edge.admitted import Caller, Masking
from edge.dependencies import Reads, door_of
from edge.principal import cause_of
from edge.scopes import READ, requires
from queries.read_models import ComparisonView, get_comparison, get_read_model
from queries.reading import Reading
from web.forms import PageParameters, carry_out, form_fields, required
from web.operations.overview import BUILDING_SECONDS, state_of, verified_rows
from web.operations.tabs import EVERY_SECONDS, tab

HREF = "/operations/read-models"
ActName = Literal["rebuild", "build", "compare", "promote", "rollback", "drop", "verify"]
WORDS: dict[str, str] = {
    "verify": "Verify",
    "rebuild": "Rebuild",
    "build": "Build beside",
    "compare": "Compare",
    "promote": "Switch over",
    "rollback": "Go back",
    "drop": "Drop what is not in use",
}
DESTRUCTIVE = frozenset(("rebuild", "drop"))

router = APIRouter(prefix=HREF)


class ReadModelParameters(PageParameters):
    """act: the one whose form is open; empty or unknown: none."""

    act: Annotated[str, Query(max_length=20)] = ""


@router.get("/{name}", **requires(READ))
def one(
    name: str,
    request: Request,
    reading: Reads,
    caller: Caller,
    masking: Masking,
    given: Annotated[ReadModelParameters, Query()],
) -> Response:
    """Return the page of one read model, with the progress of what is requested."""
    found = masking.read_model(get_read_model(reading, name))
    under_way = found.request is not None and found.request.open
    return tab(
        request,
        "read-model.html",
        name="Overview",
        title=found.model.name,
        crumbs=[("Operations", "/operations"), (found.model.name, None)],
        freshness=found,
        every=BUILDING_SECONDS if under_way or found.model.building else EVERY_SECONDS,
        found=found,
        model=found.model,
        state=state_of(found.model),
        under_way=under_way,
        aside={each.slot: each for each in found.tables_aside},
        comparison=_comparison(reading, name),
        verified=verified_rows(found.request),
        given=given,
        words=WORDS,
        destructive=DESTRUCTIVE,
        acts=caller.may(RequestAct.scope),
    )


@router.post("/{name}/withdraw", **requires(WithdrawAct.scope))
async def withdraw(name: str, request: Request) -> Response:
    """Withdraw what is requested, and return to the read model."""
    fields = await form_fields(request, "reason")
    command = WithdrawAct(name, required(fields, "reason"))
    await carry_out(door_of(request).handlers.read_models.withdraw, command, cause_of(request))
    return RedirectResponse(f"{HREF}/{name}?done=act-withdrawn", 303)


@router.post("/{name}/{act}", **requires(RequestAct.scope))
async def act(name: str, act: ActName, request: Request) -> Response:
    """Request an act of the projector, and return to the read model."""
    fields = await form_fields(request, "reason")
    command = RequestAct(name, act, required(fields, "reason"))
    await carry_out(door_of(request).handlers.read_models.request, command, cause_of(request))
    return RedirectResponse(f"{HREF}/{name}?done=act-requested", 303)


def _comparison(reading: Reading, name: str) -> ComparisonView | None:
    try:
        return get_comparison(reading, name)
    except NotFound:
        return None
