"""A rule: the instants at which a schedule is due, as its trigger states them, ready to be worked out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from domain.calendar.cron import Cron, InvalidCron, parse_cron
from domain.calendar.days import Days
from domain.calendar.durations import print_duration
from domain.calendar.exceptions import NONE, Exceptions, InvalidDays, NamedCalendar, exceptions_of
from domain.calendar.placing import Gap, TwiceShown
from domain.calendar.zones import instant_of, parse_time, parse_zone

OnException = Literal["skip", "next_day", "previous_day"]

ALL_HOURS = tuple(range(24))
_WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WORKING_DAYS = frozenset(range(1, 6))


class InvalidRule(ValueError):
    """A rule that cannot be worked out. field: of the trigger; code: as a problem of a definition has it."""

    def __init__(self, message: str, code: str, field: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


class ClockChanges(Protocol):
    """The treatment of times that clocks skip, or show twice."""

    @property
    def gap(self) -> Gap:
        """Return the policy for times that do not exist."""

    @property
    def overlap(self) -> TwiceShown:
        """Return the policy for times that exist twice."""


class TimedTrigger(Protocol):
    """The fields of a schedule trigger that decide when; see domain/language/types/triggers.py."""

    @property
    def cron(self) -> str | None:
        """Return the expression."""

    @property
    def preset(self) -> str | None:
        """Return the preset."""

    @property
    def every(self) -> timedelta | None:
        """Return the interval."""

    @property
    def at(self) -> str | None:
        """Return the time of the day of a preset, or the minute of an hourly one, like ``:15``."""

    @property
    def on(self) -> Sequence[str] | None:
        """Return the weekdays of a weekly preset."""

    @property
    def day(self) -> int | Literal["last"] | None:
        """Return the day of a monthly preset."""

    @property
    def short_month(self) -> Literal["last_day", "skip"]:
        """Return the policy for months without that day."""

    @property
    def timezone(self) -> str:
        """Return the name of the zone."""

    @property
    def dst(self) -> ClockChanges:
        """Return the policy for changes of the clock."""

    @property
    def starts_at(self) -> str | None:
        """Return the first moment."""

    @property
    def ends_at(self) -> str | None:
        """Return the moment after the last one."""

    @property
    def jitter(self) -> timedelta | None:
        """Return the longest delay."""

    @property
    def except_(self) -> Sequence[str] | None:
        """Return the exceptions."""

    @property
    def on_exception(self) -> OnException:
        """Return the policy for exceptions."""


@dataclass(frozen=True, slots=True)
class Every:
    """An instant each `step` of elapsed time, the first at `first`."""

    first: datetime
    step: timedelta


@dataclass(frozen=True, slots=True)
class Rule:
    """pattern: clock times on days, or an interval. starts_at, ends_at: in UTC, the second one excluded."""

    pattern: Cron | Every
    zone: ZoneInfo
    gap: Gap = "shift"
    overlap: TwiceShown = "first"
    exceptions: Exceptions = NONE
    on_exception: OnException = "skip"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    jitter: timedelta = timedelta()

    @property
    def elapsed(self) -> bool:
        """Whether the rule goes by the time that passes: an interval, or minutes in all hours of the day."""
        return isinstance(self.pattern, Every) or self.pattern.hours == ALL_HOURS


def rule_of(trigger: TimedTrigger, *, anchor: datetime, calendars: Mapping[str, NamedCalendar] | None = None) -> Rule:
    """Return the rule of a trigger. Raises InvalidRule.

    anchor: an interval counts from it where the trigger has no `starts_at`. calendars: by name, those of the
    organisation.
    """
    try:
        zone = parse_zone(trigger.timezone)
    except ValueError as error:
        raise InvalidRule(str(error), "unknown_timezone", "timezone") from None
    starts_at, ends_at = _moment(trigger.starts_at, "starts_at", zone), _moment(trigger.ends_at, "ends_at", zone)
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise InvalidRule("`ends_at` is not later than `starts_at`, so this never comes", "never_comes", "ends_at")
    try:
        exceptions = exceptions_of(trigger.except_ or (), calendars or {})
    except InvalidDays as error:
        raise InvalidRule(str(error), error.code, "except") from None
    pattern = _pattern(trigger, starts_at, anchor)
    if isinstance(pattern, Every) and exceptions.ranges and trigger.on_exception != "skip":
        message = "`every` counts the time that passes and has no clock time to keep on another day; use `skip`"
        raise InvalidRule(message, "invalid_value", "on_exception")
    elapsed = isinstance(pattern, Cron) and pattern.hours == ALL_HOURS
    return Rule(
        pattern,
        zone,
        # Each minute that passes has one time on the clock: none is skipped, and one that is shown twice passes twice.
        gap="skip" if elapsed else trigger.dst.gap,
        overlap="both" if elapsed else trigger.dst.overlap,
        exceptions=exceptions,
        on_exception=trigger.on_exception,
        starts_at=starts_at,
        ends_at=ends_at,
        jitter=trigger.jitter or timedelta(),
    )


def _pattern(trigger: TimedTrigger, starts_at: datetime | None, anchor: datetime) -> Cron | Every:
    if trigger.every is not None:
        return Every(anchor + trigger.every if starts_at is None else starts_at, trigger.every)
    if trigger.cron is not None:
        try:
            return parse_cron(trigger.cron)
        except InvalidCron as error:
            raise InvalidRule(str(error), error.code, "cron") from None
    return _preset(trigger)


def _preset(trigger: TimedTrigger) -> Cron:
    hour, _, minute = (trigger.at or "00:00").partition(":")
    minutes = (int(minute),)
    match trigger.preset:
        case "hourly":
            return Cron(minutes, ALL_HOURS, Days())
        case "daily":
            days = Days()
        case "weekdays":
            days = Days(weekdays=_WORKING_DAYS)
        case "weekly":
            days = Days(weekdays=frozenset(_WEEK.index(each[:3]) for each in trigger.on or ("mon",)))
        case "monthly":
            days = _monthly(trigger.day or 1, trigger.short_month)
        case _:
            raise InvalidRule("a schedule needs one of `cron`, `preset` and `every`", "missing_field", "cron")
    return Cron(minutes, (int(hour),), days)


def _monthly(day: int | Literal["last"], short_month: str) -> Days:
    if day == "last":
        return Days(of_month=frozenset(), last_of_month=True)
    return Days(of_month=frozenset((day,)), shortened=short_month == "last_day")


def _moment(text: str | None, field: str, zone: ZoneInfo) -> datetime | None:
    if text is None:
        return None
    try:
        return instant_of(parse_time(text), zone)
    except ValueError as error:
        raise InvalidRule(f"`{field}`: {error}", "invalid_time", field) from None


def interval_objection(every: timedelta, shortest: timedelta) -> str | None:
    """Return why an operator does not allow an interval, whose shortest one is `shortest`; None if it is allowed."""
    if every >= shortest:
        return None
    return f"`every` is at least {print_duration(shortest)}, by the operator's PROCESSION_MIN_INTERVAL"


def today(instant: datetime, zone: ZoneInfo) -> date:
    """Return the date that clocks in `zone` show at an instant."""
    return instant.astimezone(zone).date()
