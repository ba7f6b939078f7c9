"""Cron expressions: five fields, each mistake described in words."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

from domain.calendar.days import ALL_MONTHS, Days
from domain.words import did_you_mean

LONGEST = 200
# An expression that names no day for so long is refused. The day is a fixed one, so that a text keeps its verdict.
JUDGED_FROM = date(2026, 1, 1)
HORIZON = timedelta(days=5 * 365 + 2)
MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_BLANKS = re.compile(r"[ \t\r\n]+")
_RANGE = re.compile(r"(?:(\*)|([^/-]+)(?:-([^/-]+))?)(?:/(.*))?", re.DOTALL)
_DRAWN = re.compile(r"[HR](?:\([^)]*\))?(?:/.*)?", re.IGNORECASE)
_NEAREST = re.compile(r"[0-9L]+W|W[0-9]+", re.IGNORECASE)
_LAST = re.compile(r"L(.+)|(.+)L", re.IGNORECASE)
_RANGE_OF_DAYS = re.compile(r".+-.+")
_NTH = re.compile(r"([^#]*)#(.*)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)


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

    @property
    def top(self) -> int:
        """The last number of a round: a week ends on Saturday, though 7 is known as Sunday."""
        return 6 if self.high == 7 else self.high

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


@dataclass(frozen=True, slots=True)
class Cron:
    """An expression that was read. minutes, hours: in order."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days


def check_cron(text: str) -> str:
    """Return the expression with single spaces between its fields, or a macro in lower case.

    Takes what an earlier release took, too: ranges that go on at the beginning, and a step behind a value. Raises
    InvalidCron with a message that names the field.
    """
    cron = read_cron(text)
    if next(cron.days.after(JUDGED_FROM), None) is None:
        raise InvalidCron("no year has such a day, this never comes", "never_comes")
    return " ".join(_fields(text))


def read_cron(text: str) -> Cron:
    """Return an expression as an earlier release read it. Raises InvalidCron."""
    return _read(_fields(text), strict=False)


def parse_cron(text: str) -> Cron:
    """Return an expression as it is read.

    Fields are minute, hour, day of the month, month (or jan to dec) and weekday (0 or 7 is Sunday, or sun to sat): `*`,
    values, ranges, lists and steps; `L` for the last day of a month, `5L` or `friL` for its last Friday, `5#2` or
    `fri#2` for its second one. Or one of MACROS. Raises InvalidCron with a message that names the field, and for an
    expression that names no day within five years from JUDGED_FROM.
    """
    cron = _read(_fields(text), strict=True)
    first = next(cron.days.after(JUDGED_FROM), None)
    if first is None:
        raise InvalidCron("no year has such a day, this never comes", "never_comes")
    if first > JUDGED_FROM + HORIZON:
        raise InvalidCron(f"this comes in {first.year} for the first time, not within five years", "never_comes")
    return cron


def _fields(text: str) -> list[str]:
    """Return the fields as written, or one macro. Raises InvalidCron."""
    if len(text) > LONGEST:
        raise InvalidCron(f"an expression is at most {LONGEST} characters long")
    fields = [written for written in _BLANKS.split(text) if written]
    if len(fields) == 1 and fields[0].startswith("@"):
        return [_macro(fields[0])]
    if fields and fields[0].upper().startswith(("TZ=", "CRON_TZ=")):
        raise InvalidCron("the time zone belongs into `timezone` beside it")
    if len(fields) != len(_FIELDS):
        more = ", seconds and years are not among them" if len(fields) in (6, 7) else ""
        rule = "an expression has five fields (minute, hour, day of the month, month, weekday)"
        raise InvalidCron(f"{rule}{more}; this has {len(fields)}")
    return fields


def _macro(written: str) -> str:
    if written.lower() in MACROS:
        return written.lower()
    hint = did_you_mean(written, MACROS) or f"known are {', '.join(MACROS)}"
    raise InvalidCron(f"there is no `{written[:20]}`; {hint}")


def _read(fields: list[str], *, strict: bool) -> Cron:
    if len(fields) == 1:
        fields = MACROS[fields[0]].split(" ")
    minutes, hours, days, months, weekdays = (
        _values(each, written, strict) for each, written in zip(_FIELDS, fields, strict=True)
    )
    return Cron(
        tuple(sorted(minutes.numbers)),
        tuple(sorted(hours.numbers)),
        Days(
            months=ALL_MONTHS & months.numbers,
            of_month=None if fields[2] == "*" else frozenset(days.numbers),
            last_of_month=days.last_day,
            weekdays=None if fields[4] == "*" else frozenset(weekdays.numbers),
            nth=frozenset(weekdays.nth),
            last=frozenset(weekdays.last),
        ),
    )


@dataclass(slots=True)
class _Values:
    """The values that the entries of a field name. Weekdays count from 0, Sunday."""

    numbers: set[int] = field(default_factory=set)
    nth: set[tuple[int, int]] = field(default_factory=set)
    last: set[int] = field(default_factory=set)
    last_day: bool = False


def _values(each: _Field, written: str, strict: bool) -> _Values:
    """Return the values of a field. Raises InvalidCron."""
    values = _Values()
    items = written.split(",")
    if "*" in items and len(items) > 1:
        raise each.wrong("`*` is every one already, nothing is listed with it")
    for item in items:
        _add(each, item, values, strict)
    return values


def _add(each: _Field, item: str, values: _Values, strict: bool) -> None:
    """Add what one entry names. Raises InvalidCron for an entry that the field does not allow."""
    if not item:
        raise each.wrong("an entry of the list is empty")
    if item == "?":
        raise each.wrong("`?` is written `*` here")
    if _DRAWN.fullmatch(item):
        raise each.wrong("`H` and `R` leave the time to chance; write one, and use `jitter` to spread the load")
    if each is _DAY and item in ("L", "l"):
        values.last_day = True
    elif each is _DAY and _NEAREST.fullmatch(item):
        raise each.wrong("`W`, the nearest working day, is not known here; name days in `except` with `on_exception`")
    elif each is _DAY and item.upper().startswith("L-"):
        raise each.wrong("days counted from the end are not known here; write `L` for the last day, or list the days")
    elif each is _WEEKDAY and "#" in item:
        values.nth.add(_nth(item))
    elif each is _WEEKDAY and (found := _LAST.fullmatch(item)) and not _RANGE_OF_DAYS.fullmatch(item):
        values.last.add(_WEEKDAY.number(found[1] or found[2]) % 7)
    elif each is _WEEKDAY and item.upper() == "L":
        raise each.wrong("the last of its kind in a month is written as `5L` for the last Friday")
    else:
        values.numbers |= _range(each, item, strict)


def _nth(item: str) -> tuple[int, int]:
    found = _NTH.fullmatch(item)
    assert found is not None
    weekday = _WEEKDAY.number(found[1])
    if found[2] not in ("1", "2", "3", "4", "5"):
        raise _WEEKDAY.wrong("behind `#` stands which one of the month, 1 to 5, as `5#2` for the second Friday")
    return weekday % 7, int(found[2])


def _range(each: _Field, item: str, strict: bool) -> set[int]:
    """Return the numbers that `*`, a value, a range or a step names. Raises InvalidCron."""
    found = _RANGE.fullmatch(item)
    if found is None:
        raise each.wrong(f"`{item[:20]}` is neither `*` nor a value, a range as 1-5 or a step as */5")
    star, first, last, step = found.groups()
    if step is not None and not (_NUMBER.fullmatch(step) and 1 <= int(step) <= each.high):
        raise each.wrong(f"a step is a number from 1 to {each.high}, not `{step[:20]}`")
    if star:
        low, high = each.low, each.top
    else:
        low = each.number(first)
        if last is None:
            if step is not None and strict:
                raise each.wrong(f"`{item[:20]}` counts on from a value; write {low}-{each.top}/{step}")
            low, high = (low, low) if step is None else (low % 7 if each is _WEEKDAY else low, each.top)
        else:
            high = each.number(last)
            if each is _WEEKDAY and high == 0 and low > 0:
                high = 7
            _check_range(each, item, low, high, step, strict)
    if low <= high:
        numbers = set(range(low, high + 1, int(step or 1)))
    else:
        numbers = {*range(low, each.top + 1), *range(each.low, high + 1)}
    return {number % 7 for number in numbers} if each is _WEEKDAY else numbers


def _check_range(each: _Field, item: str, low: int, high: int, step: str | None, strict: bool) -> None:
    if low == high or (each is _WEEKDAY and (low, high) == (7, 7)):
        raise each.wrong(f"`{item[:20]}` is a range from a value to itself; write the value alone, or `*`")
    if low < high:
        return
    if step is not None:
        raise each.wrong("a range that goes on at the beginning takes no step; list the values")
    if strict:
        first = f"{low}-{each.top}" if low < each.top else str(low)
        second = f"{each.low}-{high}" if high > each.low else str(high)
        raise each.wrong(f"`{item[:20]}` runs backwards; write {first},{second}")
