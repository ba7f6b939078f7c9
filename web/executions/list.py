"""The list of executions, with its filters in the address."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from edge.admitted import Caller, Masking
from edge.dependencies import Reads
from edge.references import process_named
from edge.scopes import READ, requires
from queries.executions import STATUSES, ExecutionFilter, list_executions
from web.forms import PageParameters
from web.layout import page

TRIGGERS = {"manual": "a person", "webhook": "a webhook", "sub_process": "another execution"}
TRIGGER_ICONS = {"manual": "user", "webhook": "webhook", "sub_process": "corner-down-right"}
QUICK = (
    ("Everything", "/executions", ""),
    ("Running", "/executions?status=running", "running"),
    ("Failed", "/executions?status=failed", "failed"),
    ("Undoing", "/executions?status=compensating", "compensating"),
)

router = APIRouter()


class ExecutionFields(PageParameters):
    """The fields of the form of filters; an empty one filters nothing."""

    process: Annotated[str, Query(max_length=64)] = ""
    status: str = ""
    trigger: str = ""
    include_children: bool = False


@router.get("/executions", **requires(READ, listed=True))
def list_(
    request: Request, reading: Reads, caller: Caller, masking: Masking, given: Annotated[ExecutionFields, Query()]
) -> Response:
    """Return the page of executions, the newest first."""
    filter = ExecutionFilter(
        process_ids=[process_named(given.process)] if given.process else [],
        statuses=[given.status] if given.status in STATUSES else [],
        triggers=[given.trigger] if given.trigger in TRIGGERS else [],
        include_children=given.include_children,
        within=caller.processes,
    )
    found = masking.summaries(list_executions(reading, filter, cursor=given.cursor, min_position=given.min_position))
    return page(
        request,
        "executions.html",
        title="Executions",
        nav="Executions",
        freshness=found,
        items=found.items,
        next_cursor=found.next_cursor,
        given=given,
        filtered=filter != ExecutionFilter(within=caller.processes),
        quick=[(name, href, given.status == status) for name, href, status in QUICK],
        statuses=STATUSES,
        triggers=TRIGGERS.items(),
        trigger_words=TRIGGERS,
        trigger_icons=TRIGGER_ICONS,
    )
