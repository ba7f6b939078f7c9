"""Calendars: named days on which schedules make exceptions."""

from fastapi import APIRouter
from starlette.responses import Response

from api import openapi
from api.answers import view
from api.receipts import RehearsedReceipt, carry_out
from commands.calendars import DefineCalendar
from edge.command_request import CommandedOrRehearsed
from edge.dependencies import Reads
from edge.parameters import NO_PARAMETERS
from edge.references import calendar_named
from queries.calendars import CalendarList, CalendarView, get_calendar, list_calendars

router = APIRouter(prefix="/calendars", tags=["schedules"])


class CalendarReceipt(RehearsedReceipt, kw_only=True):
    """The calendar has these days now. duplicate: it had them before. version: grows with each definition."""

    name: str
    version: int


@router.get("", summary="List calendars", dependencies=[NO_PARAMETERS], **openapi.query(CalendarList, listed=True))
def list_(reading: Reads) -> Response:
    """List every calendar, by name."""
    return view(list_calendars(reading))


@router.get(
    "/{name}", summary="One calendar", dependencies=[NO_PARAMETERS], **openapi.query(CalendarView, 404, listed=True)
)
def get(name: str, reading: Reads) -> Response:
    """Return the days of the calendar."""
    return view(get_calendar(reading, calendar_named(name)))


@router.put(
    "/{name}", summary="Define a calendar", **openapi.command(DefineCalendar, CalendarReceipt, 404, rehearsed=True)
)
async def define(name: str, request: CommandedOrRehearsed) -> Response:
    """Give the calendar its days; the schedules that use it follow, for the future."""
    command = request.read(DefineCalendar, name=name)
    return await carry_out(request, request.handlers.calendars.define, command, CalendarReceipt)
