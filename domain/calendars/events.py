"""Events of a calendar; each class is stored under its own name for ever."""

from domain.event import Event, stored


@stored("CalendarDefined")
class CalendarDefined(Event, frozen=True, kw_only=True):
    """The calendar has these days from now on: dates, and ranges of dates, as they were written."""

    name: str
    days: list[str]
    description: str = ""
