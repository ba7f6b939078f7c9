"""The tree of a whole run, on pages of at most 1,000 executions."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from edge.admitted import Caller, Masking
from edge.dependencies import Reads
from edge.references import execution_named
from edge.scopes import READ, requires
from queries.trees import TreeExecution, TreeFilter, list_tree
from web.forms import PageParameters
from web.layout import page

DEEPEST = 8
FILTERS = (("All", ""), ("Failed", "failed"), ("Running", "running"))

router = APIRouter()


class TreePageParameters(PageParameters):
    """status: default: all executions."""

    status: Annotated[str, Query(max_length=20)] = ""


class TreeLine(msgspec.Struct, frozen=True):
    """An execution on the page. indent: below how many of its ancestors it stands. apart: its parent is elsewhere."""

    execution: TreeExecution
    indent: int
    apart: bool


@router.get("/executions/{execution_id}/tree", **requires(READ))
def tree(
    execution_id: str,
    request: Request,
    reading: Reads,
    caller: Caller,
    masking: Masking,
    given: Annotated[TreePageParameters, Query()],
) -> Response:
    """Return the page of the run that an execution belongs to."""
    id = execution_named(execution_id)
    status = given.status if any(given.status == word for _, word in FILTERS) else ""
    filter = TreeFilter([status] if status else [], caller.processes)
    found = masking.tree(list_tree(reading, id, filter, cursor=given.cursor, min_position=given.min_position))
    return page(
        request,
        "execution-tree.html",
        title="Called executions",
        nav="Executions",
        freshness=found,
        crumbs=[("Executions", "/executions"), (str(id)[-8:], f"/executions/{id}"), ("Called executions", None)],
        lines=lines_of(found.items),
        next_cursor=found.next_cursor,
        given=given,
        this=id,
        filters=FILTERS,
    )


def lines_of(items: Sequence[TreeExecution]) -> list[TreeLine]:
    """Return the executions of a page, each below its parent where that is on the page too; siblings as they began."""
    below: dict[UUID | None, list[TreeExecution]] = {}
    known = {each.execution_id for each in items}
    for each in items:
        below.setdefault(each.parent_id if each.parent_id in known else None, []).append(each)
    waiting = [(each, 0) for each in reversed(below.get(None, []))]
    found = []
    while waiting:
        each, indent = waiting.pop()
        found.append(TreeLine(each, min(indent, DEEPEST), each.parent_id is not None and each.parent_id not in known))
        waiting += [(child, indent + 1) for child in reversed(below.get(each.execution_id, []))]
    return found
