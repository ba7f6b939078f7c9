"""The overview: what needs a person, and what runs."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from edge.admitted import Caller, Masking
from edge.dependencies import Reads
from edge.scopes import READ, requires
from queries.approvals import list_approvals
from queries.executions import ExecutionFilter, list_executions
from queries.timers import TimerFilter, list_timers
from web.layout import approvals_for, page

SHOWN = 10
# A timer that is less late than this is being fired.
TOLERATED_SECONDS = 5.0

router = APIRouter()


@router.get("/", **requires(READ, listed=True))
def overview(request: Request, reading: Reads, caller: Caller, masking: Masking) -> Response:
    """Return the page with what needs a person, the most urgent first."""
    approvals = masking.approvals(list_approvals(reading, approvals_for(caller, ["open"], own=True), limit=SHOWN))
    of_failed = ExecutionFilter(statuses=["failed"], within=caller.processes)
    failed = masking.summaries(list_executions(reading, of_failed, limit=SHOWN))
    under_way = ExecutionFilter(statuses=["running", "compensating", "queued"], within=caller.processes)
    running = list_executions(reading, under_way, limit=SHOWN)
    late = [
        timer
        for timer in list_timers(reading, TimerFilter(overdue=True, within=caller.processes), limit=SHOWN).items
        if timer.overdue_seconds > TOLERATED_SECONDS
    ]
    waiting = len(approvals.items) + len(failed.items) + len(late)
    return page(
        request,
        "overview.html",
        title="Overview",
        nav="Overview",
        freshness=running,
        approvals=approvals.items,
        failed=failed.items,
        overdue=late,
        running=running.items,
        summary=f"{waiting} things wait for you." if waiting > 1 else "One thing waits for you." if waiting else "",
    )
