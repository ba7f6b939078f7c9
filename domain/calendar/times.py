"""Times in a definition: zones by name, instants, times of the day and days of the week, kept as written."""

import re
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from domain.calendar.zones import parse_time, parse_zone

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WeekdayInFull = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

# In the order of a week, in full.
WEEKDAYS: tuple[str, ...] = get_args(WeekdayInFull)

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_MINUTE = re.compile(r":[0-5][0-9]", re.ASCII)


def check_zone(name: str) -> str:
    """Return `name` if there is such a zone. Raises PydanticCustomError ``unknown_timezone``."""
    try:
        parse_zone(name)
    except ValueError as error:
        raise PydanticCustomError("unknown_timezone", "{reason}", {"reason": str(error)}) from None
    return name


def check_time(text: str) -> str:
    """Return `text` if it is a date with a time. Raises PydanticCustomError ``invalid_time``."""
    try:
        parse_time(text)
    except ValueError as error:
        raise PydanticCustomError("invalid_time", "{reason}", {"reason": str(error)}) from None
    return text


def _clock(text: str) -> str:
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise PydanticCustomError("invalid_time", "a time of the day is written like 09:00, up to 23:59")
    return f"{int(found[1]):02}:{found[2]}"


def is_minute(text: str) -> bool:
    """Return whether a text names a minute of every hour, like ``:15``."""
    return _MINUTE.fullmatch(text) is not None


def _clock_or_minute(text: str) -> str:
    return text if is_minute(text) else _clock(text)


# The short forms of the days are listed too: the tree is respelt before it is read.
WeekdayOfStart = Annotated[WeekdayInFull, WithJsonSchema({"enum": [*WEEKDAYS, *(name[:3] for name in WEEKDAYS)]})]
ZoneName = Annotated[str, AfterValidator(check_zone)]
# ISO 8601, with an offset or without.
TimeText = Annotated[str, StringConstraints(max_length=64), AfterValidator(check_time)]
# For example 09:00, or :15 for a minute of every hour.
ClockTime = Annotated[str, AfterValidator(_clock_or_minute)]
