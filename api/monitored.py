"""The open matters of steps and processes that teams monitor."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import view
from edge.admitted import Caller, monitoring_teams
from edge.dependencies import Reads
from edge.parameters import SEVERAL, Paged, Values
from queries.monitored import MonitoredItem, list_monitored
from queries.paging import Page

router = APIRouter(tags=["processes"])


class MonitoredFilters(Paged):
    """team: default: those of the key, or every team for a key without any. status: of what is listed."""

    team: Annotated[Values, Field(description=SEVERAL)] = []
    status: Annotated[Literal["open"], Field(description="What nobody has dealt with yet.")] = "open"


@router.get("/monitored", summary="What teams monitor and is open", **openapi.query(Page[MonitoredItem], listed=True))
def list_(reading: Reads, caller: Caller, filters: Annotated[MonitoredFilters, Query()]) -> Response:
    """List failed steps and overdue approvals of steps that teams monitor, and cost alerts of their processes."""
    teams = monitoring_teams(caller, filters.team)
    return view(list_monitored(reading, teams, within=caller.processes, **filters.page))
