"""Define calendars; the schedules that use one follow it in the same append."""

from typing import Annotated

import msgspec

from commands.command import Beside, Command, CommandScope, Note
from commands.deciding import Identified, Together, decide, unidentified
from commands.receipt import Receipt
from commands.registrations import reregister_users
from domain.calendars.calendar import fold
from domain.calendars.decisions import MOST_DAYS, define_calendar
from domain.event import Cause
from domain.identity import calendar_id
from store.log import Log

DayText = Annotated[str, msgspec.Meta(max_length=64)]


class DefineCalendar(Command, frozen=True):
    """Give a calendar its days. days: dates, and ranges as 2026-12-24..2026-12-26."""

    scope = CommandScope.PROCESSES_WRITE
    name: Annotated[str, Beside("calendar")]
    days: Annotated[list[DayText], msgspec.Meta(max_length=MOST_DAYS)]
    description: Note = ""


class Calendars:
    """The handler of the command above."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def define(self, command: DefineCalendar, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Define the calendar; facts hold `name` and `version`. Raises Malformed with every wrong day."""
        return decide(
            self._log,
            calendar_id(command.name),
            fold,
            lambda calendar: define_calendar(calendar, command.name, command.days, command.description, cause),
            facts=lambda calendar, new: {
                "name": command.name,
                "version": (0 if calendar is None else calendar.content.version) + len(new),
            },
            identified=identified,
            together=lambda new: reregister_users(self._log, command.name, new, cause) if new else Together(),
        )
