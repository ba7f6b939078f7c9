"""What changed in an execution between two points of its past."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from edge.admitted import Caller, Masking
from edge.dependencies import Reads, Versions
from edge.parameters import PointParameter
from edge.references import execution_named
from edge.scopes import READ, requires
from queries.differences import Difference, get_difference
from queries.moments import moment_of_event
from web.forms import PageParameters
from web.layout import page

router = APIRouter()


class CompareParameters(PageParameters):
    """Two points: positions in the log, or instants. Default: the first event, and the newest one."""

    point_from: Annotated[PointParameter | None, Field(alias="from")] = None
    point_to: Annotated[PointParameter | None, Field(alias="to")] = None


@router.get("/executions/{execution_id}/compare", **requires(READ))
def compare(
    execution_id: str,
    request: Request,
    reading: Reads,
    definitions: Versions,
    caller: Caller,
    masking: Masking,
    given: Annotated[CompareParameters, Query()],
) -> Response:
    """Return the page of the differences between two points."""
    id = execution_named(execution_id)
    first = moment_of_event(reading, id, 1)
    one = first.position if given.point_from is None else given.point_from
    other = first.last if given.point_to is None else given.point_to
    found = get_difference(reading, definitions, id, one, other, min_position=given.min_position)
    found = masking.difference(found)
    return page(
        request,
        "execution-compare.html",
        title=f"Changes of {found.process} {str(id)[-8:]}",
        nav="Executions",
        freshness=found,
        crumbs=[
            ("Executions", "/executions"),
            (f"{found.process} {str(id)[-8:]}", f"/executions/{id}"),
            ("Compare", None),
        ],
        found=found,
        of_execution=sorted(found.changed.items()),
        first=first,
        points=[each if isinstance(each, int) else each.isoformat() for each in (one, other)],
        changes=_count(found),
    )


def _count(found: Difference) -> int:
    return len(found.changed) + sum(len(step.changed) for step in found.steps)
