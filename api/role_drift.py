"""Role drift: who is assigned to do the work of steps, and who has done it, by process and by agent."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api import openapi
from api.answers import view
from edge.admitted import Caller
from edge.dependencies import Reads
from edge.parameters import Fresh
from edge.references import agent_named, process_named
from queries.role_drift import AgentDrift, ProcessDrift, get_agent_drift, get_process_drift

router = APIRouter()


@router.get(
    "/processes/{process}/roles/drift",
    tags=["processes"],
    summary="Role drift in a process",
    **openapi.query(ProcessDrift, 404),
)
def of_process(process: str, reading: Reads, given: Annotated[Fresh, Query()]) -> Response:
    """Return by step the executor that is assigned, and the agents that have answered in 30 days."""
    return view(get_process_drift(reading, process_named(process), min_position=given.min_position))


@router.get(
    "/agents/{name}/drift",
    tags=["agents"],
    summary="Role drift of an agent",
    **openapi.query(AgentDrift, 404, listed=True),
)
def of_agent(name: str, reading: Reads, caller: Caller, given: Annotated[Fresh, Query()]) -> Response:
    """Return the steps for which the agent has answered in 30 days, each with the executor that is assigned."""
    within = caller.processes
    return view(get_agent_drift(reading, agent_named(name), within=within, min_position=given.min_position))
