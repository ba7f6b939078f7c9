"""The overview: what needs a person, and what runs."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from edge.dependencies import Reads
from queries.approvals import ApprovalFilter, list_approvals
from queries.executions import ExecutionFilter, list_executions
from queries.timers import list_timers
from web.layout import page

SHOWN = 10
# A timer that is less late than this is being fired.
TOLERATED_SECONDS = 5.0

router = APIRouter()


@router.get("/")
def overview(request: Request, reading: Reads) -> Response:
    """Return the page with what needs a person, the most urgent first."""
    approvals = list_approvals(reading, ApprovalFilter(statuses=["open"]), limit=SHOWN)
    failed = list_executions(reading, ExecutionFilter(statuses=["failed"]), limit=SHOWN)
    running = list_executions(reading, ExecutionFilter(statuses=["running", "compensating", "queued"]), limit=SHOWN)
    late = [
        timer
        for timer in list_timers(reading, overdue=True, limit=SHOWN).items
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
