"""Workers: who carries out steps, and the attempts that each has claimed."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import view
from edge.dependencies import Reads
from edge.parameters import Parameters
from queries.paging import DEFAULT_LIMIT, MAX_LIMIT, Page
from queries.workers import WorkerView, list_workers

router = APIRouter(prefix="/workers", tags=["operations"])


class WorkerPage(Parameters):
    """A page of workers."""

    cursor: Annotated[str, Field(max_length=300)] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT


@router.get("", summary="List workers", **openapi.query(Page[WorkerView]))
def list_(reading: Reads, given: Annotated[WorkerPage, Query()]) -> Response:
    """List workers, the longest running first, with the attempts that each has claimed."""
    return view(list_workers(reading, cursor=given.cursor, limit=given.limit))
