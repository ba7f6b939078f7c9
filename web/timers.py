"""Timers: the list of all; one with what firing or moving it brings about."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.timers import FireTimer, MoveTimer
from domain.executions.timers import DEADLINE, HEARTBEAT, KINDS, RETRY, TIMEOUT, TIMER, TOTAL_TIMEOUT
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.principal import principal_of
from edge.references import execution_named, process_named
from edge.scopes import READ, requires
from queries.timers import TimerFilter, get_timer, list_timers
from web.acts import UNTRIED, Act, ActForm, attempt
from web.forms import PageParameters, required
from web.layout import reader_of
from web.operations.tabs import tab

HREF = "/operations/timers"
WORDS = {
    TIMER: "Wait of the process",
    TIMEOUT: "Time limit of an attempt",
    TOTAL_TIMEOUT: "Time limit of the step",
    RETRY: "Pause before a retry",
    HEARTBEAT: "Wait for a heartbeat",
    DEADLINE: "Deadline of an approval",
}
EFFECTS = {
    TIMER: "The step ends, and the steps that depend on it begin.",
    TIMEOUT: "The attempt ends as timed out. The step is retried if its definition says so, else it fails.",
    TOTAL_TIMEOUT: "The step ends as timed out, without a further attempt.",
    RETRY: "The next attempt of the step begins now.",
    HEARTBEAT: "The attempt ends as if its agent had stopped. The step is retried if its definition says so.",
    DEADLINE: "The approval is decided as its definition says for an approval that nobody has decided in time.",
}

FIRE = Act("Fire the timer", "", "timer-fired", lambda handlers: handlers.timers.fire, danger=True)
MOVE = Act("Move the timer", "", "timer-moved", lambda handlers: handlers.timers.move, fields=("due_at",))

router = APIRouter(prefix=HREF)


class TimerFields(PageParameters):
    """The fields of the form of filters; an empty one filters nothing. due: ``overdue``, ``pending`` or all."""

    due: str = ""
    kind: str = ""
    process: Annotated[str, Query(max_length=64)] = ""


@router.get("", **requires(READ, listed=True))
def list_(request: Request, reading: Reads, caller: Caller, given: Annotated[TimerFields, Query()]) -> Response:
    """Return the page of timers, the next one first."""
    filter = TimerFilter(
        overdue={"overdue": True, "pending": False}.get(given.due),
        kinds=[given.kind] if given.kind in KINDS else [],
        process_ids=[process_named(given.process)] if given.process else [],
        within=caller.processes,
    )
    found = list_timers(reading, filter, cursor=given.cursor, min_position=given.min_position)
    return tab(
        request,
        "timers.html",
        name="Timers",
        freshness=found,
        items=found.items,
        next_cursor=found.next_cursor,
        given=given,
        filtered=filter != TimerFilter(within=caller.processes),
        quick=[
            (name, due, given.due == due) for name, due in (("All", ""), ("Overdue", "overdue"), ("Pending", "pending"))
        ],
        words=WORDS,
        acts=caller.may(FireTimer.scope),
    )


@router.get("/{execution_id}/{step}/{kind}", **requires(READ))
def one(execution_id: str, step: str, kind: str, request: Request) -> Response:
    """Return the page of one timer, with the forms that change it."""
    return _one(request, (execution_id, step, kind))


@router.post("/{execution_id}/{step}/{kind}/fire", **requires(FireTimer.scope))
async def fire(execution_id: str, step: str, kind: str, request: Request) -> Response:
    """Fire a timer, and return to the list."""

    def command(fields: Mapping[str, str]) -> FireTimer:
        return FireTimer(execution_named(execution_id), step, kind, fields["reason"])

    return await attempt(request, FIRE, command, partial(_one, request, (execution_id, step, kind), firing=True), HREF)


@router.post("/{execution_id}/{step}/{kind}/move", **requires(MoveTimer.scope))
async def move(execution_id: str, step: str, kind: str, request: Request) -> Response:
    """Make a timer due at another time of the reader's zone, and return to the list."""

    def command(fields: Mapping[str, str]) -> MoveTimer:
        due_at = reader_of(request).instant(required(fields, "due_at"), "due_at")
        return MoveTimer(execution_named(execution_id), step, kind, due_at, fields["reason"])

    return await attempt(request, MOVE, command, partial(_one, request, (execution_id, step, kind)), HREF)


def _one(request: Request, timer: tuple[str, str, str], form: ActForm = UNTRIED, *, firing: bool = False) -> Response:
    """Return the page of a timer. form: of the last try; firing: it is the form that fires the timer."""
    execution_id, step, kind = timer
    found = get_timer(door_of(request).reading, execution_named(execution_id), step, kind)
    local = f"{found.due_at.astimezone(reader_of(request).zone):%Y-%m-%dT%H:%M:%S}"
    return tab(
        request,
        "timer.html",
        name="Timers",
        title=f"Timer of {found.step}",
        code=form.code,
        crumbs=[("Timers", HREF), (found.step, None)],
        found=found,
        word=WORDS.get(found.kind, found.kind),
        effect=EFFECTS.get(found.kind, ""),
        local=form.typed("due_at") or local,
        acts=principal_of(request).may(FireTimer.scope),
        would=form.would,
        fires=form if firing else UNTRIED,
        moves=UNTRIED if firing else form,
    )
