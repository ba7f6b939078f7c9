"""Rules as tests state them, and their instants worked out minute by minute."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from domain.calendar.instants import Instant, instants
from domain.calendar.rule import Rule, rule_of

ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Clocks:
    """The treatment of times that clocks skip, or show twice."""

    gap: Any = "shift"
    overlap: Any = "first"


@dataclass
class Stated:
    """The fields of a trigger."""

    cron: str | None = None
    preset: str | None = None
    every: timedelta | None = None
    at: str | None = None
    on: Sequence[str] | None = None
    day: Any = None
    short_month: Any = "last_day"
    timezone: str = "UTC"
    dst: Any = None
    starts_at: str | None = None
    ends_at: str | None = None
    jitter: timedelta | None = None
    except_: Sequence[str] | None = None
    on_exception: Any = "skip"


def rule(*, calendars: Mapping[str, Any] | None = None, anchor: datetime = ANCHOR, **fields: Any) -> Rule:
    """Return the rule of a trigger with these fields."""
    dst = Clocks(**fields.pop("dst", {}))
    return rule_of(Stated(**fields, dst=dst), anchor=anchor, calendars=calendars)


def first(count: int, of: Rule, after: datetime = ANCHOR, *, inclusive: bool = True) -> list[Instant]:
    """Return so many instants of a rule."""
    return [each for each, _ in zip(instants(of, after, inclusive=inclusive), range(count), strict=False)]


def local(count: int, of: Rule, after: datetime = ANCHOR) -> list[str]:
    """Return so many instants as the clocks of the zone show them, each with its offset and flags."""
    return [" ".join([f"{each.local:%Y-%m-%d %H:%M %z}", *each.flags]) for each in first(count, of, after)]


def minutes(start: date, days: int) -> Iterator[datetime]:
    """Yield every minute of so many days in UTC."""
    begin = datetime(start.year, start.month, start.day, tzinfo=UTC)
    for number in range(days * 24 * 60):
        yield begin + timedelta(minutes=number)
