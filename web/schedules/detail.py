"""One schedule: its ledger, its coming runs, and the forms that pause, resume, run and backfill it."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Annotated, Literal
from urllib.parse import urlencode

import anyio
import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BeforeValidator
from starlette.responses import RedirectResponse, Response

from commands.command import Command
from commands.processes import ReviseProcess
from commands.schedules import BackfillSchedule, PauseSchedule, ResumeSchedule, RunScheduleNow
from domain.refusal import NotFound, Refusal
from edge.dependencies import door_of
from edge.principal import cause_of, principal_of
from edge.references import schedule_named
from edge.scopes import READ, requires
from queries.occurrences import ledger_strips, list_occurrences
from queries.schedules import get_schedule
from web.acts import PREVIEW, UNTRIED, Act, ActForm, attempt
from web.drawings.ledger import WORDS, LedgerMark
from web.forms import PageParameters, carry_out, form_fields, required
from web.layout import page, reader_of
from web.schedules.list import HREF
from web.schedules.marks import CATCH_UPS, COMING, FLAGS, OUTCOMES, OVERLAPS, coming, kind_of, past
from web.schedules.previews import as_rule

IN_STRIP = 60
COMING_UP = 10
IN_LEDGER = 20
# Of an act that was done in the list: what the list is shown with again.
KEPT = ("process", "status", "span")
PAUSE = Act("Pause the schedule", "", "schedule-paused", lambda handlers: handlers.schedules.pause)
RESUME = Act("Resume the schedule", "", "schedule-resumed", lambda handlers: handlers.schedules.resume, reasoned=False)
RUN = Act("Run it now", "", "schedule-run", lambda handlers: handlers.schedules.run_now, reasoned=False)
BACKFILL = Act(
    "Backfill a range", "", "schedule-backfilled", lambda handlers: handlers.schedules.backfill, ("from", "to")
)

router = APIRouter(prefix=HREF)


def _number(text: object) -> object:
    """Return a number that an address states; a Literal takes no text for it."""
    return int(text) if isinstance(text, str) and text in ("30", "90", "365") else text


class LedgerFields(PageParameters):
    """days: so many days of the ledger."""

    days: Annotated[Literal[30, 90, 365], BeforeValidator(_number)] = 30


WHOLE = LedgerFields()


@router.get("/{schedule_id}", **requires(READ))
def one(schedule_id: str, request: Request, given: Annotated[LedgerFields, Query()]) -> Response:
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
    return await attempt(request, act, command, show, _back(request, schedule_id))


def _back(request: Request, schedule_id: str) -> str:
    """Return the address that follows an act: the list that it was done in, else the page of the schedule."""
    asked = request.query_params
    if asked.get("to") != "list":
        return f"{HREF}/{schedule_id}"
    kept = urlencode({name: asked[name] for name in KEPT if name in asked})
    return f"{HREF}?{kept}" if kept else HREF


def _one(
    request: Request,
    schedule_id: str,
    form: ActForm = UNTRIED,
    *,
    acting: Act | None = None,
    given: LedgerFields = WHOLE,
    counted: Mapping[str, object] | None = None,
) -> Response:
    """Return the page of a schedule. form: of the last try of the act. counted: the preview of a backfill."""
    reading, id = door_of(request).reading, schedule_named(schedule_id)
    position, reader = given.min_position, reader_of(request)
    found = get_schedule(reading, id, min_position=position, coming=COMING_UP)
    begin = reader.now - timedelta(days=given.days)
    ledger = list_occurrences(reading, id, begin, cursor=given.cursor, limit=IN_LEDGER, min_position=position)
    counts, stated = ledger.counts, msgspec.json.decode(found.rule)
    late = door_of(request).handlers.overdue_after
    marks = past(ledger_strips(reading, [id], IN_STRIP)[id], reader.clock, late, linked=True)
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
        flags=FLAGS,
        days=given.days,
        marks=[*marks, *coming(found.coming[:COMING], reader.clock)],
        rule=as_rule(found.rule),
        overlap=OVERLAPS[stated.get("overlap", "skip")],
        catch_up=CATCH_UPS[stated.get("catch_up", "latest")],
        window=stated.get("catch_up_window", "1h"),
        mark_of=lambda each: LedgerMark(kind_of(each, late)),
        words=WORDS,
        acts=principal_of(request).may(PauseSchedule.scope),
        designs=principal_of(request).may(ReviseProcess.scope),
        forms={act.title: form if act is acting else UNTRIED for act in (PAUSE, RESUME, RUN, BACKFILL)},
        would=form.would,
        counted=counted,
    )
