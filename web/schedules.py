"""Schedules: the fleet by next run; one with its ledger, and the forms that pause, resume and run it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.command import Command
from commands.schedules import BackfillSchedule, PauseSchedule, ResumeSchedule, RunScheduleNow
from domain.refusal import NotFound, Refusal
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.principal import cause_of, principal_of
from edge.references import process_named, schedule_named
from edge.scopes import READ, requires
from queries.occurrences import list_occurrences
from queries.schedules import STATUSES, ScheduleFilter, get_schedule, list_schedules
from web.acts import PREVIEW, UNTRIED, Act, ActForm, attempt
from web.forms import PageParameters, carry_out, form_fields, required
from web.layout import page, reader_of

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
IN_LEDGER = 60
PAUSE = Act("Pause the schedule", "", "schedule-paused", lambda handlers: handlers.schedules.pause)
RESUME = Act("Resume the schedule", "", "schedule-resumed", lambda handlers: handlers.schedules.resume, reasoned=False)
RUN = Act("Run it now", "", "schedule-run", lambda handlers: handlers.schedules.run_now, reasoned=False)
BACKFILL = Act(
    "Backfill a range", "", "schedule-backfilled", lambda handlers: handlers.schedules.backfill, ("from", "to")
)

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


@router.post("/{schedule_id}/backfill", **requires(BackfillSchedule.scope))
async def backfill(schedule_id: str, request: Request) -> Response:
    """Start the instants of a range that started none; a preview counts them."""
    fields = await form_fields(request, "from", "to", PREVIEW)
    reader, counted = reader_of(request), None
    try:
        begin, end = (reader.instant(required(fields, name), name) for name in ("from", "to"))
        command = BackfillSchedule(schedule_named(schedule_id), begin, end, dry_run=bool(fields[PREVIEW]))
        receipt = await carry_out(door_of(request).handlers.schedules.backfill, command, cause_of(request))
        if not command.dry_run:
            more = urlencode({"min_position": receipt.position, "done": BACKFILL.done})
            return RedirectResponse(f"{HREF}/{schedule_id}?{more}", 303)
        form, counted = ActForm(fields), receipt.facts
    except NotFound:
        raise
    except Refusal as refusal:
        form = ActForm(fields, refusal)
    show = partial(_one, request, schedule_id, form, acting=BACKFILL, counted=counted)
    return await anyio.to_thread.run_sync(show)


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
    counted: Mapping[str, object] | None = None,
) -> Response:
    """Return the page of a schedule. form: of the last try of the act. counted: the preview of a backfill."""
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
        late_seconds=door_of(request).handlers.overdue_after.total_seconds(),
        acts=principal_of(request).may(PauseSchedule.scope),
        forms={act.title: form if act is acting else UNTRIED for act in (PAUSE, RESUME, RUN, BACKFILL)},
        would=form.would,
        counted=counted,
    )
