"""Operations at a glance: the log, the read models, the work that is due, and what is stuck."""

from collections.abc import Sequence

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from commands.read_models import RequestAct
from edge.admitted import Caller, Masking
from edge.dependencies import Reads, door_of
from edge.principal import Principal
from edge.scopes import READ, requires
from queries.dead_letters import list_dead_letters
from queries.epochs import get_epoch
from queries.metrics import MOST, get_figures
from queries.projections import ProjectionView, list_projections
from queries.read_models import ReadModelRequestView, VerifiedRows, list_requests
from queries.reading import Reading, ReadModelRebuilding
from queries.set_aside import list_set_aside
from queries.timers import TimerFilter, TimerView, list_timers
from queries.workers import list_workers
from web.operations.tabs import EVERY_SECONDS, tab
from web.timers import WORDS

SHOWN = 5
BUILDING_SECONDS = 1
STATES = {"running": "up_to_date", "failed": "stopped"}

router = APIRouter(prefix="/operations")


def state_of(model: ProjectionView) -> str:
    """Return the status of a read model on pages."""
    return STATES.get(model.state, model.state)


def verified_rows(request: ReadModelRequestView | None) -> VerifiedRows | None:
    """Return the figures of a verification; None where the last request is none, or has not ended well."""
    if request is None or request.act != "verify" or request.state != "done" or request.result is None:
        return None
    return msgspec.json.decode(request.result, type=VerifiedRows)


@router.get("", **requires(READ))
def overview(request: Request, reading: Reads, caller: Caller, masking: Masking) -> Response:
    """Return the page with the state of everything that works behind the pages."""
    models = masking.read_models(list_projections(reading))
    furthest = max(models.items, key=lambda each: (each.lag_seconds, each.lag), default=None)
    last = list_requests(reading)
    requests = {name: each for name, each in last.items() if each.open}
    building = bool(requests) or any(each.building is not None for each in models.items)
    return tab(
        request,
        "overview.html",
        name="Overview",
        title="Operations",
        freshness=models,
        every=BUILDING_SECONDS if building else EVERY_SECONDS,
        models=models.items,
        requests=requests,
        verified={name: (each, rows) for name, each in last.items() if (rows := verified_rows(each)) is not None},
        verifies=caller.may(RequestAct.scope),
        state_of=state_of,
        furthest=furthest,
        epoch=get_epoch(reading.progress),
        figures=get_figures(reading, door_of(request).handlers.overdue_after).values,
        most=MOST,
        timers=_timers(reading, caller),
        words=WORDS,
        workers=list_workers(reading, limit=SHOWN).items,
        letters=masking.dead_letters(list_dead_letters(reading, limit=SHOWN)).items,
        set_aside=masking.set_aside(list_set_aside(reading, limit=SHOWN)).items,
    )


def _timers(reading: Reading, caller: Principal) -> Sequence[TimerView] | None:
    """Return the next timers; None while the read model that they are listed from is built."""
    try:
        return list_timers(reading, TimerFilter(within=caller.processes), limit=SHOWN).items
    except ReadModelRebuilding:
        return None
