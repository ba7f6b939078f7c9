"""How a process starts: its webhooks and schedules, and the steps that call it."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from edge.admitted import Caller
from edge.dependencies import Reads
from edge.principal import Principal
from edge.references import process_named
from edge.scopes import READ, requires
from queries.process_references import NamingSteps, list_references
from queries.processes import ProcessDetail, get_process
from queries.reading import Reading, ReadModelRebuilding
from queries.schedules import ScheduleFilter, list_schedules
from web.forms import PageParameters
from web.layout import page
from web.schedules.marks import FLAGS

router = APIRouter(prefix="/processes/{process}")


@router.get("/triggers", **requires(READ))
def triggers(
    process: str, request: Request, reading: Reads, caller: Caller, given: Annotated[PageParameters, Query()]
) -> Response:
    """Return the page of the triggers of one process."""
    found = get_process(reading, process_named(process), min_position=given.min_position)
    return page(
        request,
        "triggers.html",
        title=f"Triggers of {found.name}",
        nav="Processes",
        freshness=found,
        crumbs=[("Processes", "/processes"), (found.name, f"/processes/{found.name}"), ("Triggers", None)],
        found=found,
        **ways_to_start(request, reading, caller, found),
    )


def ways_to_start(request: Request, reading: Reading, caller: Principal, found: ProcessDetail) -> dict[str, Any]:
    """Return what `process-triggers.html` shows of a process."""
    of_process = ScheduleFilter(process_ids=[found.process_id])
    return {
        "triggers": triggers_of(found),
        "schedules": {
            each.trigger_id: each for each in list_schedules(reading, of_process).items if each.status != "removed"
        },
        "flags": FLAGS,
        "callers": callers_of(reading, found.name, caller.processes),
        "origin": f"{request.url.scheme}://{request.url.netloc}",
    }


def callers_of(reading: Reading, name: str, within: tuple[str, ...]) -> NamingSteps | None:
    """Return the steps that call the process; None while this read model is built."""
    try:
        return list_references(reading, "process", name, within=within)
    except ReadModelRebuilding:
        return None


def triggers_of(found: ProcessDetail) -> list[dict[str, Any]]:
    """Return the triggers of the latest version."""
    return json.loads(bytes(found.triggers)) or []
