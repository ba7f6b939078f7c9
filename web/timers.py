"""Timers: the list of all; one with what firing or moving it brings about."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from commands.timers import FireTimer, MoveTimer
from domain.executions.timers import DEADLINE, HEARTBEAT, KINDS, RETRY, TIMEOUT, TIMER, TOTAL_TIMEOUT
from domain.refusal import Problem
from edge.admitted import Caller
from edge.dependencies import Reads, door_of
from edge.principal import cause_of
from edge.references import execution_named, process_named
from edge.refusals import malformed
from edge.scopes import READ, requires
from queries.timers import TimerFilter, get_timer, list_timers
from web.forms import PageParameters, carry_out, form_fields, required
from web.layout import Reader, reader_of
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
def one(execution_id: str, step: str, kind: str, request: Request, reading: Reads, caller: Caller) -> Response:
    """Return the page of one timer, with the forms that change it."""
    found = get_timer(reading, execution_named(execution_id), step, kind)
    return tab(
        request,
        "timer.html",
        name="Timers",
        title=f"Timer of {found.step}",
        crumbs=[("Timers", HREF), (found.step, None)],
        found=found,
        word=WORDS.get(found.kind, found.kind),
        effect=EFFECTS.get(found.kind, ""),
        local=found.due_at.astimezone(reader_of(request).zone),
        acts=caller.may(FireTimer.scope),
    )


@router.post("/{execution_id}/{step}/{kind}/fire", **requires(FireTimer.scope))
async def fire(execution_id: str, step: str, kind: str, request: Request) -> Response:
    """Fire a timer, and return to the list."""
    fields = await form_fields(request, "reason")
    command = FireTimer(execution_named(execution_id), step, kind, required(fields, "reason"))
    receipt = await carry_out(door_of(request).handlers.timers.fire, command, cause_of(request))
    return RedirectResponse(f"{HREF}?min_position={receipt.position}&done=timer-fired", 303)


@router.post("/{execution_id}/{step}/{kind}/move", **requires(MoveTimer.scope))
async def move(execution_id: str, step: str, kind: str, request: Request) -> Response:
    """Make a timer due at another time of the reader's zone, and return to the list."""
    fields = await form_fields(request, "due_at", "reason")
    due_at = _local_time(required(fields, "due_at"), reader_of(request))
    command = MoveTimer(execution_named(execution_id), step, kind, due_at, required(fields, "reason"))
    receipt = await carry_out(door_of(request).handlers.timers.move, command, cause_of(request))
    return RedirectResponse(f"{HREF}?min_position={receipt.position}&done=timer-moved", 303)


def _local_time(text: str, reader: Reader) -> datetime:
    """Return the time that a field of the type datetime-local states. Raises Malformed."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=reader.zone)
        return at.astimezone(reader.now.tzinfo)
    except (ValueError, OverflowError):
        raise malformed([Problem("invalid_value", "a time is written as 2027-01-31T09:00", "due_at")]) from None
