"""Search or go to: executions by the end of their id, processes and agents by a part of their name, and pages."""

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from edge.admitted import Caller, Masking
from edge.dependencies import Reads
from edge.references import END_OF_ID
from edge.scopes import READ, requires
from queries.executions import ExecutionFilter, ExecutionSummary, list_executions
from queries.named import find_agents, find_processes
from web.forms import PageParameters
from web.layout import NavigationEntry, navigation_of, page

SHOWN = 10

router = APIRouter()


class SearchParameters(PageParameters):
    """q: what a person typed."""

    q: Annotated[str, Query(max_length=64)] = ""


@router.get("/search", **requires(READ, listed=True))
def search(
    request: Request, reading: Reads, caller: Caller, masking: Masking, given: Annotated[SearchParameters, Query()]
) -> Response:
    """Return the page of what was found; where that is one thing, lead there."""
    sought = given.q.strip()
    executions: Sequence[ExecutionSummary] = ()
    if sought and re.fullmatch(END_OF_ID, sought):
        ending = ExecutionFilter(id_ends_with=sought, within=caller.processes)
        executions = masking.summaries(list_executions(reading, ending, limit=SHOWN)).items
    processes = find_processes(reading, sought, limit=SHOWN, within=caller.processes) if sought else []
    agents = find_agents(reading, sought, limit=SHOWN) if sought else []
    entries = [entry for _, entries in navigation_of(caller) for entry in entries]
    pages: list[NavigationEntry] = [each for each in entries if sought and sought.lower() in each.name.lower()]
    found = (
        *(f"/executions/{each.execution_id}" for each in executions),
        *(f"/processes/{each.name}" for each in processes),
        *(f"/agents/{each.name}" for each in agents),
        *(each.href for each in pages),
    )
    if len(found) == 1:
        return RedirectResponse(found[0], 303)
    return page(
        request,
        "search.html",
        title="Search",
        sought=sought,
        most=SHOWN,
        executions=executions,
        processes=processes,
        agents=agents,
        pages=pages,
        any=bool(found),
    )
