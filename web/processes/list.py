"""The list of processes."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from commands.agents import RegisterAgent
from commands.processes import DraftProcess
from edge.admitted import Caller
from edge.dependencies import Reads
from edge.scopes import READ, requires
from queries.analytics.usual import usual_figures
from queries.process_days import recent_outcomes
from queries.processes import ProcessFilter, ProcessSummary, list_processes, next_runs
from web.forms import PageParameters
from web.layout import page

TABS = (("All", ""), ("Published", "published"), ("Drafts", "draft"), ("Archive", "archived"))
STATUSES = tuple(status for _, status in TABS if status)

router = APIRouter()


class ProcessParameters(PageParameters):
    """status: of the processes; empty or unknown: any. name: of one process."""

    status: str = ""
    name: Annotated[str, Query(max_length=64)] = ""


@router.get("/processes", **requires(READ, listed=True))
def list_(request: Request, reading: Reads, caller: Caller, given: Annotated[ProcessParameters, Query()]) -> Response:
    """Return the page of processes by name."""
    filter = ProcessFilter(
        names=[given.name] if given.name else [],
        statuses=[given.status] if given.status in STATUSES else [],
        within=caller.processes,
    )
    found = list_processes(reading, filter, **given.page)
    return page(
        request,
        "processes.html",
        title="Processes",
        nav="Processes",
        freshness=found,
        items=found.items,
        recent=recent_outcomes(reading, [each.process_id for each in found.items]),
        usual=usual_figures(reading, [each.process_id for each in found.items]),
        next_runs=next_runs(reading, [each.process_id for each in found.items]),
        next_cursor=found.next_cursor,
        given=given,
        tabs=[(name, f"/processes?status={status}" if status else "/processes", status) for name, status in TABS],
        filtered=bool(filter.names or filter.statuses),
        under_way=under_way,
        registers=caller.may(RegisterAgent.scope),
        designs=caller.may(DraftProcess.scope),
    )


def under_way(process: ProcessSummary) -> int:
    """Return the number of executions that have not ended, those that wait for their beginning included."""
    counts = process.executions
    return max(0, counts.started - counts.completed - counts.failed - counts.cancelled)
