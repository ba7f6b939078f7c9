"""Schedules: the fleet, one, its ledger, the coming week; pause, resume, run now, backfill."""

from datetime import timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import anyio
import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import JsonBody, view
from api.receipts import CommandReceipt, RehearsedReceipt, carry_out
from commands.schedules import BackfillSchedule, PauseSchedule, ResumeSchedule, RunScheduleNow
from edge.admitted import Caller, Masking
from edge.command_request import Commanded, CommandedOrRehearsed
from edge.dependencies import Reads, TheDoor
from edge.instants import later
from edge.parameters import SEVERAL, Fresh, InstantParameter, Paged, ProcessReferences, Values, one_of
from edge.principal import cause_of
from edge.references import process_named, schedule_named
from edge.rehearsals import COMMANDS
from queries.calendars import contents_of
from queries.occurrences import OccurrencePage, list_occurrences
from queries.paging import Page
from queries.schedule_previews import MOST, SchedulePreview, preview_schedule, trigger_of
from queries.schedules import (
    LONGEST_WEEK,
    STATUSES,
    ComingRuns,
    ScheduleFilter,
    ScheduleView,
    coming_runs,
    get_schedule,
    list_schedules,
)

router = APIRouter(prefix="/schedules", tags=["schedules"])

A_WEEK = timedelta(days=7)


class ScheduleReceipt(RehearsedReceipt, kw_only=True):
    """A schedule was paused or resumed. duplicate: it was before."""

    schedule_id: UUID


class RunNowReceipt(CommandReceipt, kw_only=True):
    """An execution was started by hand."""

    schedule_id: UUID
    execution_id: UUID


class BackfillReceipt(CommandReceipt, kw_only=True):
    """count: the instants that started, or would start. skipped: those of the range that did not.

    instants: the first 50 of them.
    """

    schedule_id: UUID
    count: int
    skipped: int = 0
    instants: list[Any] = []


# `from` is a word of Python, so the class cannot be written with it.
BackfillRange = msgspec.defstruct(
    "BackfillRange",
    [
        ("from", Annotated[InstantParameter, msgspec.Meta(description="The first instant.")]),
        ("to", InstantParameter),
        ("dry_run", bool, False),
    ],
    namespace={"__doc__": "The instants from `from` until `to`. dry_run: count them, and record nothing."},
    module=__name__,
    frozen=True,
    forbid_unknown_fields=True,
)


PreviewRequest = msgspec.defstruct(
    "PreviewRequest",
    [
        ("trigger", Annotated[dict[str, Any], msgspec.Meta(description="As in a definition; `id` may be left out.")]),
        ("count", Annotated[int, msgspec.Meta(ge=1, le=MOST)], 10),
        ("from", InstantParameter | None, None),
    ],
    namespace={"__doc__": "A rule to try out. count: of its instants that run; from: the first moment, default now."},
    module=__name__,
    frozen=True,
    forbid_unknown_fields=True,
)


class ScheduleFilters(Paged):
    """Filters of the schedules."""

    process: ProcessReferences = []
    status: Annotated[Values, one_of(STATUSES), Field(description=SEVERAL)] = []


class RangeOfInstants(Fresh):
    """The instants from `from` until `to`."""

    begin: Annotated[InstantParameter | None, Field(alias="from", description="The first instant.")] = None
    end: Annotated[InstantParameter | None, Field(alias="to", description="The first instant after the range.")] = None


class PageOfInstants(Paged, RangeOfInstants):
    """A page of the instants of one schedule."""


class RunsFilters(RangeOfInstants):
    """Filters of the coming runs. Default: a week from now."""

    process: ProcessReferences = []


@router.get("", summary="List schedules", **openapi.query(Page[ScheduleView], listed=True))
def list_(reading: Reads, caller: Caller, masking: Masking, filters: Annotated[ScheduleFilters, Query()]) -> Response:
    """List schedules, the one that runs next first."""
    filter = ScheduleFilter(
        process_ids=[process_named(each) for each in filters.process], statuses=filters.status, within=caller.processes
    )
    found = list_schedules(reading, filter, **filters.page)
    return view(msgspec.structs.replace(found, items=masking.schedules(found.items)))


@router.get("/week", summary="Coming runs of all schedules", **openapi.query(ComingRuns, 422, listed=True))
def week(reading: Reads, door: TheDoor, caller: Caller, filters: Annotated[RunsFilters, Query()]) -> Response:
    """List the runs that all schedules expect between two instants, at most 31 days apart."""
    begin = filters.begin or door.clock.now()
    end = min(filters.end or later(begin, A_WEEK), later(begin, LONGEST_WEEK))
    filter = ScheduleFilter(process_ids=[process_named(each) for each in filters.process], within=caller.processes)
    return view(coming_runs(reading, begin, end, filter, min_position=filters.min_position))


@router.post(
    "/preview",
    summary="Preview a rule",
    **openapi.query(SchedulePreview, 413, 415, 422, body=PreviewRequest),
)
async def preview(reading: Reads, door: TheDoor, request: Commanded) -> Response:
    """Work out the next instants of a schedule trigger, and record nothing."""
    given: Any = request.read(PreviewRequest)
    since = getattr(given, "from") or door.clock.now()
    shortest = door.handlers.shortest_interval

    def work_out() -> SchedulePreview:
        trigger = trigger_of(given.trigger, shortest)
        calendars = contents_of(reading, trigger.except_ or ())
        return preview_schedule(trigger, given.count, since, calendars)

    return view(await anyio.to_thread.run_sync(work_out, limiter=COMMANDS))


@router.get("/{schedule_id}", summary="One schedule", **openapi.query(ScheduleView, 404))
def get(schedule_id: str, reading: Reads, masking: Masking, given: Annotated[Fresh, Query()]) -> Response:
    """Return the rule of the schedule in words, its next run and its last one."""
    found = get_schedule(reading, schedule_named(schedule_id), min_position=given.min_position)
    return view(masking.schedules([found])[0])


@router.get("/{schedule_id}/occurrences", summary="Ledger of a schedule", **openapi.query(OccurrencePage, 404))
def occurrences(schedule_id: str, reading: Reads, filters: Annotated[PageOfInstants, Query()]) -> Response:
    """List every expected instant with its one outcome, the latest first; the counts are those of the whole range."""
    id = schedule_named(schedule_id)
    get_schedule(reading, id)
    return view(list_occurrences(reading, id, filters.begin, filters.end, **filters.page))


@router.post(
    "/{schedule_id}/pause",
    summary="Pause a schedule",
    **openapi.command(PauseSchedule, ScheduleReceipt, 404, rehearsed=True),
)
async def pause(schedule_id: str, request: CommandedOrRehearsed) -> Response:
    """Start nothing until it is resumed; each instant until then is `skipped`."""
    command = request.read(PauseSchedule, schedule_id=schedule_id)
    return await carry_out(request, request.handlers.schedules.pause, command, ScheduleReceipt)


@router.post(
    "/{schedule_id}/resume",
    summary="Resume a schedule",
    **openapi.command(ResumeSchedule, ScheduleReceipt, 404, rehearsed=True),
)
async def resume(schedule_id: str, request: CommandedOrRehearsed) -> Response:
    """Start executions again, and catch up once on what the pause skipped, by the rule's `catch_up`."""
    command = request.read(ResumeSchedule, schedule_id=schedule_id)
    return await carry_out(request, request.handlers.schedules.resume, command, ScheduleReceipt)


@router.post(
    "/{schedule_id}/run-now",
    summary="Run a schedule now",
    **openapi.command(RunScheduleNow, RunNowReceipt, 404, status=202),
)
async def run_now(schedule_id: str, request: Commanded) -> Response:
    """Start an execution at once. The cadence of the schedule stays as it is."""
    command = request.read(RunScheduleNow, schedule_id=schedule_id)
    return await carry_out(request, request.handlers.schedules.run_now, command, RunNowReceipt)


@router.post(
    "/{schedule_id}/backfill",
    summary="Backfill a schedule",
    **openapi.command(BackfillSchedule, BackfillReceipt, 404, status=202, body=BackfillRange),
)
async def backfill(schedule_id: str, request: Commanded) -> Response:
    """Start an execution for each instant of a range that started none. A dry run counts them, and answers 200."""
    given: Any = request.read(BackfillRange)
    command = BackfillSchedule(schedule_named(schedule_id), getattr(given, "from"), given.to, given.dry_run)
    handle = request.handlers.schedules.backfill
    if not command.dry_run:
        return await carry_out(request, handle, command, BackfillReceipt)
    receipt = await anyio.to_thread.run_sync(partial(handle, command, cause_of(request.request)), limiter=COMMANDS)
    return JsonBody({"schedule_id": command.schedule_id, **receipt.facts, "position": receipt.position}, 200)
