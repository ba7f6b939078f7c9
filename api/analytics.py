"""Analytics: what works, what is slow, what is expensive, and where the time goes."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api import openapi
from api.answers import view
from edge.admitted import Caller
from edge.analytics import FiguresParameters, WindowParameters
from edge.dependencies import Reads, TheDoor
from edge.references import process_named
from queries.analytics.figures import ProcessAnswer, ProcessesAnswer, StepsAnswer, TrendsAnswer
from queries.analytics.process_figures import summarise_process, summarise_processes
from queries.analytics.step_figures import summarise_steps
from queries.analytics.trend_figures import summarise_trends

router = APIRouter(prefix="/analytics", tags=["analytics"])


class StepFiguresParameters(FiguresParameters):
    """The window, the filters, and the order of steps."""

    order: Annotated[
        Literal["slowest", "most_expensive", "longest_waiting"],
        Field(description="By time worked, by cost, or by time waited for people, called executions and timers."),
    ] = "slowest"
    measure: Annotated[
        Literal["median", "p95", "total"], Field(description="The value by which steps are in order.")
    ] = "median"


@router.get("/processes", summary="Figures by process", **openapi.query(ProcessesAnswer, listed=True))
def processes(reading: Reads, door: TheDoor, caller: Caller, given: Annotated[FiguresParameters, Query()]) -> Response:
    """Return success, durations and costs of each process, and of all, with the change against the period before."""
    request = given.request(door.clock.now(), caller.processes, given.processes)
    return view(summarise_processes(reading, request, min_position=given.min_position))


@router.get("/processes/{process}", summary="Figures of a process", **openapi.query(ProcessAnswer, 404))
def process(
    process: str, reading: Reads, door: TheDoor, caller: Caller, given: Annotated[WindowParameters, Query()]
) -> Response:
    """Return the figures of a process, and those of each of its versions side by side."""
    request = given.request(door.clock.now(), caller.processes, [process_named(process)])
    return view(summarise_process(reading, request, min_position=given.min_position))


@router.get("/trends", summary="Figures by day", **openapi.query(TrendsAnswer, listed=True))
def trends(reading: Reads, door: TheDoor, caller: Caller, given: Annotated[FiguresParameters, Query()]) -> Response:
    """Return what ended on each day and what its calls cost, for the window and the equal period before."""
    request = given.request(door.clock.now(), caller.processes, given.processes)
    return view(summarise_trends(reading, request, min_position=given.min_position))


@router.get("/steps", summary="Steps by time or cost", **openapi.query(StepsAnswer, listed=True))
def steps(reading: Reads, door: TheDoor, caller: Caller, given: Annotated[StepFiguresParameters, Query()]) -> Response:
    """Return the slowest, the most expensive, or the longest waiting steps, across versions."""
    request = given.request(door.clock.now(), caller.processes, given.processes)
    return view(summarise_steps(reading, request, given.order, given.measure, min_position=given.min_position))
