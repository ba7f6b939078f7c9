"""Schedules: the fleet by next run; one with its ledger, and the forms that pause, resume and run it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.command import Command
from commands.schedules import PauseSchedule, ResumeSchedule, RunScheduleNow
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.principal import principal_of
from edge.references import process_named, schedule_named
from edge.scopes import READ, requires
from queries.occurrences import list_occurrences
from queries.schedules import STATUSES, ScheduleFilter, get_schedule, list_schedules
from web.acts import UNTRIED, Act, ActForm, attempt
from web.forms import PageParameters
from web.layout import page

HREF = "/schedules"
OUTCOMES = {
    "started": "Started",
    "skipped": "Skipped",
    "missed": "Missed",
    "coalesced": "Coalesced",
    "backfilled": "Backfilled",
    "moved": "Moved",
    "waiting": "Waiting",
}
COLOURS = {
    "started": "ok",
    "skipped": "idle",
    "missed": "bad",
    "coalesced": "undo",
    "backfilled": "data",
    "moved": "idle",
    "waiting": "wait",
}
LATE_SECONDS = 60.0
IN_LEDGER = 60
PAUSE = Act("Pause the schedule", "", "schedule-paused", lambda handlers: handlers.schedules.pause)
RESUME = Act("Resume the schedule", "", "schedule-resumed", lambda handlers: handlers.schedules.resume, reasoned=False)
RUN = Act("Run it now", "", "schedule-run", lambda handlers: handlers.schedules.run_now, reasoned=False)

router = APIRouter(prefix=HREF)


class ScheduleFields(PageParameters):
    """The fields of the form of filters; an empty one filters nothing."""

    status: str = ""
    process: Annotated[str, Query(max_length=64)] = ""


@router.get("", **requires(READ, listed=True))
def list_(request: Request, reading: Reads, caller: Caller, given: Annotated[ScheduleFields, Query()]) -> Response:
    """Return the page of schedules, the one that runs next first."""
    filter = ScheduleFilter(
        process_ids=[process_named(given.process)] if given.process else [],
        statuses=[given.status] if given.status in STATUSES else [],
        within=caller.processes,
    )
    found = list_schedules(reading, filter, cursor=given.cursor, min_position=given.min_position)
    return page(
        request,
        "schedules.html",
        title="Schedules",
        nav="Schedules",
        freshness=found,
        items=found.items,
        next_cursor=found.next_cursor,
        given=given,
        statuses=STATUSES,
        filtered=filter != ScheduleFilter(within=caller.processes),
        outcomes=OUTCOMES,
    )


@router.get("/{schedule_id}", **requires(READ))
def one(schedule_id: str, request: Request, given: Annotated[PageParameters, Query()]) -> Response:
    """Return the page of one schedule, with its ledger and the forms that steer it."""
    return _one(request, schedule_id, given=given)


@router.post("/{schedule_id}/pause", **requires(PauseSchedule.scope))
async def pause(schedule_id: str, request: Request) -> Response:
    """Pause the schedule."""

    def command(fields: Mapping[str, str]) -> PauseSchedule:
        return PauseSchedule(schedule_named(schedule_id), fields["reason"])

    return await _attempt(request, PAUSE, command, schedule_id)


@router.post("/{schedule_id}/resume", **requires(ResumeSchedule.scope))
async def resume(schedule_id: str, request: Request) -> Response:
    """Resume the schedule."""

    def command(fields: Mapping[str, str]) -> ResumeSchedule:
        return ResumeSchedule(schedule_named(schedule_id), fields["reason"])

    return await _attempt(request, RESUME, command, schedule_id)


@router.post("/{schedule_id}/run-now", **requires(RunScheduleNow.scope))
async def run_now(schedule_id: str, request: Request) -> Response:
    """Start an execution of the schedule."""

    def command(fields: Mapping[str, str]) -> RunScheduleNow:
        return RunScheduleNow(schedule_named(schedule_id), fields["reason"])

    return await _attempt(request, RUN, command, schedule_id)


async def _attempt(
    request: Request,
    act: Act,
    command: Callable[[Mapping[str, str]], Command],
    schedule_id: str,
) -> Response:
    show = partial(_one, request, schedule_id, acting=act)
    return await attempt(request, act, command, show, f"{HREF}/{schedule_id}")


def _one(
    request: Request,
    schedule_id: str,
    form: ActForm = UNTRIED,
    *,
    acting: Act | None = None,
    given: PageParameters | None = None,
) -> Response:
    """Return the page of a schedule. form: of the last try of the act."""
    reading, id = door_of(request).reading, schedule_named(schedule_id)
    position = None if given is None else given.min_position
    found = get_schedule(reading, id, min_position=position)
    cursor = None if given is None else given.cursor
    ledger = list_occurrences(reading, id, cursor=cursor, limit=IN_LEDGER, min_position=position)
    counts = ledger.counts
    return page(
        request,
        "schedule.html",
        title=f"Schedule {found.trigger_id} of {found.process}",
        nav="Schedules",
        code=form.code,
        crumbs=[("Schedules", HREF), (found.trigger_id, None)],
        freshness=ledger,
        found=found,
        ledger=ledger,
        sum=[(OUTCOMES[name], getattr(counts, name)) for name in OUTCOMES if getattr(counts, name)],
        outcomes=OUTCOMES,
        colours=COLOURS,
        late_seconds=LATE_SECONDS,
        acts=principal_of(request).may(PauseSchedule.scope),
        forms={act.title: form if act is acting else UNTRIED for act in (PAUSE, RESUME, RUN)},
        would=form.would,
    )
