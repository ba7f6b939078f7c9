"""A rule that a schedule goes by, as far as this release carries it out: cron in UTC, and elapsed time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.calendar.durations import parse_duration

_PRESETS = {"hourly": "0 * * * *", "daily": "0 0 * * *", "weekdays": "0 0 * * 1-5"}


class InvalidRule(ValueError):
    """A rule that cannot fire. code: stable; field: of the trigger."""

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.field = field


@dataclass(frozen=True, slots=True)
class Rule:
    """every: the interval of a rule by elapsed time, which counts from `anchor`; else cron: an expression in UTC."""

    every: timedelta | None
    cron: str
    anchor: datetime


def rule_of(trigger: object, *, anchor: datetime, every: str | None = None, exceptions: bool = False) -> Rule:
    """Return the rule of a trigger. anchor: where `every` counts from. Raises InvalidRule for what cannot fire."""
    for field in ("at", "on", "day", "starts_at", "ends_at", "jitter"):
        if getattr(trigger, field) is not None:
            raise InvalidRule("not_supported", f"`{field}` is not carried out yet", field)
    if getattr(trigger, "timezone") != "UTC" or exceptions:  # noqa: B009
        raise InvalidRule("not_supported", "only times in UTC without exceptions are carried out yet", "timezone")
    preset = getattr(trigger, "preset")  # noqa: B009
    cron = getattr(trigger, "cron") or _PRESETS.get(preset, "")  # noqa: B009
    if every is None and not cron:
        raise InvalidRule("not_supported", f"`preset: {preset}` is not carried out yet", "preset")
    return Rule(None if every is None else parse_duration(every), cron, anchor)
