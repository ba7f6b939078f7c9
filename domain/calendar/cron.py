"""Cron expressions: five fields, each mistake described in words; croniter, which later runs them, checks last."""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass

from domain.words import did_you_mean

LONGEST = 200
A_LEAP_YEAR = 2024
MACROS = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_BLANKS = re.compile(r"[ \t\r\n]+")
_RANGE = re.compile(r"(?:(\*)|([^/-]+)(?:-([^/-]+))?)(?:/(.*))?", re.DOTALL)
_DRAWN = re.compile(r"[HR](?:\([^)]*\))?(?:/.*)?", re.IGNORECASE)
_NEAREST = re.compile(r"[0-9L]+W|W[0-9]+", re.IGNORECASE)
_LAST = re.compile(r"L([0-7])", re.IGNORECASE)
_NTH = re.compile(r"([^#]*)#(.*)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)
_MIXED = "days with `#` or `L` cannot be listed with other days"


class InvalidCron(ValueError):
    """An unusable expression. code: ``invalid_cron``, or ``never_comes`` for a day that no year has."""

    def __init__(self, message: str, code: str = "invalid_cron") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Field:
    """names: words for the numbers from `first_named` on."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    first_named: int = 0

    def number(self, written: str) -> int:
        """Return the number that a word or digits stand for. Raises InvalidCron."""
        if _NUMBER.fullmatch(written) and self.low <= int(written) <= self.high:
            return int(written)
        if written.lower() in self.names:
            return self.names.index(written.lower()) + self.first_named
        near = did_you_mean(written, self.names)
        known = f"{self.low} to {self.high}" + (f", or {self.names[0]} to {self.names[-1]}" if self.names else "")
        raise self.wrong(f"`{written[:20]}` is not one of {known}{near and f'; {near}'}")

    def wrong(self, message: str) -> InvalidCron:
        """Return the error for this field; its message names the field."""
        return InvalidCron(f"the {self.name}: {message}")


_MINUTE, _HOUR = _Field("minute", 0, 59), _Field("hour", 0, 23)
_DAY = _Field("day of the month", 1, 31)
_MONTH = _Field("month", 1, 12, _MONTHS, 1)
_WEEKDAY = _Field("weekday", 0, 7, _WEEKDAYS)
_FIELDS = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)


def check_cron(text: str) -> str:
    """Return the expression with single spaces between its fields.

    Fields are minute, hour, day of the month, month (or jan to dec) and weekday (0 or 7 is Sunday, or sun to sat): `*`,
    values, ranges, lists and steps; `L` for the last day of a month, `L5` for its last Friday, `5#2` or `fri#2` for its
    second one. Or one of MACROS. Raises InvalidCron with a message that names the field.
    """
    if len(text) > LONGEST:
        raise InvalidCron(f"an expression is at most {LONGEST} characters long")
    fields = [field for field in _BLANKS.split(text) if field]
    if len(fields) == 1 and fields[0].startswith("@"):
        return _macro(fields[0])
    if fields and fields[0].upper().startswith(("TZ=", "CRON_TZ=")):
        raise InvalidCron("the time zone belongs into `timezone` beside it")
    if len(fields) != len(_FIELDS):
        more = ", seconds and years are not among them" if len(fields) in (6, 7) else ""
        rule = "an expression has five fields (minute, hour, day of the month, month, weekday)"
        raise InvalidCron(f"{rule}{more}; this has {len(fields)}")
    special = [_check_field(field, written) for field, written in zip(_FIELDS, fields, strict=True)]
    if special[4] and fields[2] != "*":
        raise _WEEKDAY.wrong("beside days with `#` or `L` the day of the month is `*`")
    expression = " ".join(fields)
    _check_comes(expression)
    return expression


def _macro(written: str) -> str:
    if written.lower() in MACROS:
        return written.lower()
    hint = did_you_mean(written, MACROS) or f"known are {', '.join(MACROS)}"
    raise InvalidCron(f"there is no `{written[:20]}`; {hint}")


def _check_field(field: _Field, written: str) -> bool:
    """Return whether the field has entries with `L` or `#`. Raises InvalidCron."""
    items = written.split(",")
    special = [_check_item(field, item) for item in items]
    if "*" in items and len(items) > 1:
        raise field.wrong("`*` is every one already, nothing is listed with it")
    if field is _WEEKDAY and any(special) and not all(special):
        raise field.wrong(_MIXED)
    return any(special)


def _check_item(field: _Field, item: str) -> bool:
    """Return whether the entry uses `L` or `#`. Raises InvalidCron for an entry that the field does not allow."""
    if not item:
        raise field.wrong("an entry of the list is empty")
    if item == "?":
        raise field.wrong("`?` is written `*` here")
    if _DRAWN.fullmatch(item):
        raise field.wrong("`H` and `R` leave the time to chance; write one, and use `jitter` to spread the load")
    if field is _DAY:
        if item in ("L", "l"):
            return True
        if _NEAREST.fullmatch(item):
            raise field.wrong("`W`, the nearest working day, is not known here")
    if field is _WEEKDAY and ("#" in item or "l" in item.lower()):
        _check_weekday_in_month(item)
        return True
    _check_range(field, item)
    return False


def _check_weekday_in_month(item: str) -> None:
    if found := _NTH.fullmatch(item):
        _WEEKDAY.number(found[1])
        if found[2] not in ("1", "2", "3", "4", "5"):
            raise _WEEKDAY.wrong("behind `#` stands which one of the month, 1 to 5, as `5#2` for the second Friday")
    elif not _LAST.fullmatch(item):
        raise _WEEKDAY.wrong("the last of its kind in a month is written as `L5` for the last Friday")


def _check_range(field: _Field, item: str) -> None:
    found = _RANGE.fullmatch(item)
    if found is None:
        raise field.wrong(f"`{item[:20]}` is neither `*` nor a value, a range as 1-5 or a step as */5")
    star, first, last, step = found.groups()
    if step is not None and not (_NUMBER.fullmatch(step) and 1 <= int(step) <= field.high):
        raise field.wrong(f"a step is a number from 1 to {field.high}, not `{step[:20]}`")
    low = field.low if star else field.number(first)
    if last is None:
        return
    high = field.number(last)
    if low == high or (field is _WEEKDAY and (low, high) == (7, 0)):
        raise field.wrong(f"`{item[:20]}` is a range from a value to itself; write the value alone, or `*`")
    if low > high and step is not None:
        raise field.wrong("a range that goes on at the beginning takes no step; list the values")


def _check_comes(expression: str) -> None:
    """Raise InvalidCron unless croniter accepts the expression and some year has such a day."""
    from croniter import CroniterError, croniter  # most definitions have no schedule

    try:
        (_, _, days, months, weekdays), _ = croniter.expand(expression)
    except CroniterError:
        raise InvalidCron("this is not an expression that can be worked out") from None
    if weekdays == ["*"] and not any(day <= longest for day in _numbers(days) for longest in _lengths(months)):
        raise InvalidCron("no year has such a day, this never comes", "never_comes")


def _numbers(days: list[int | str]) -> Iterator[int]:
    for day in days:
        yield day if isinstance(day, int) else 1  # every month has a first and a last day


def _lengths(months: list[int | str]) -> Iterator[int]:
    for month in months:
        yield monthrange(A_LEAP_YEAR, month)[1] if isinstance(month, int) else 31
