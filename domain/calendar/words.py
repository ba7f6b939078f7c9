"""A rule in words, for people: `on Monday to Friday at 09:00, Europe/Berlin`."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from domain.calendar.cron import Cron
from domain.calendar.days import ALL_MONTHS, Days
from domain.calendar.durations import print_duration
from domain.calendar.rule import ALL_HOURS, Every, Rule

_WEEK = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}
_TREATMENTS = {
    "skip": "not on",
    "next_day": "on the next day instead of",
    "previous_day": "on the day before instead of",
}
_MOST_TIMES = 6


def in_words(rule: Rule) -> str:
    """Return the rule as a sentence without a full stop; zone, exceptions and limits of time included."""
    parts = [_pattern(rule.pattern), rule.zone.key]
    if rule.exceptions.ranges:
        parts.append(f"{_TREATMENTS[rule.on_exception]} {_count(rule)}")
    if rule.starts_at is not None:
        parts.append(f"from {rule.starts_at.astimezone(rule.zone):%Y-%m-%d %H:%M}")
    if rule.ends_at is not None:
        parts.append(f"until {rule.ends_at.astimezone(rule.zone):%Y-%m-%d %H:%M}")
    if rule.jitter > timedelta():
        parts.append(f"delayed by up to {print_duration(rule.jitter)}")
    sentence = ", ".join(parts)
    return sentence[0].upper() + sentence[1:]


def _pattern(pattern: Cron | Every) -> str:
    if isinstance(pattern, Every):
        return f"every {print_duration(pattern.step)}"
    days, times = _days(pattern.days), _times(pattern)
    often = pattern.hours == ALL_HOURS and days == "every day"
    return times if often else f"{days} {times}"


def _times(cron: Cron) -> str:
    if cron.hours == ALL_HOURS:
        return "every hour" if cron.minutes == (0,) else _minutes(cron.minutes)
    if len(cron.hours) * len(cron.minutes) <= _MOST_TIMES:
        return "at " + _listed([f"{hour:02}:{minute:02}" for hour in cron.hours for minute in cron.minutes])
    hours = [f"{first:02}:00 to {last:02}:59" for first, last in _runs(cron.hours)]
    return f"{_minutes(cron.minutes)} from {_listed(hours)}"


def _minutes(minutes: Sequence[int]) -> str:
    step = _step(minutes, 60)
    if step == 1:
        return "every minute"
    if step is not None:
        start = "" if minutes[0] == 0 else f", from minute {minutes[0]} on"
        return f"every {step} minutes{start}"
    return f"every hour at minute {_listed([str(each) for each in minutes])}"


def _days(days: Days) -> str:
    by_month, by_week = _of_month(days), _of_week(days)
    if by_month and by_week:
        named = f"on {by_month} or on {by_week}"
    elif by_month or by_week:
        named = f"on {by_month or by_week}"
    else:
        named = "every day" if days.months == ALL_MONTHS else ""
    if days.months != ALL_MONTHS:
        named += f" in {_listed(_named_runs(sorted(days.months), lambda month: _MONTHS[month - 1]))}"
    return named.strip()


def _of_month(days: Days) -> str:
    if days.of_month is None:
        return ""
    named = _named_runs(sorted(days.of_month), str)
    parts = [f"day {_listed(named)} of the month"] if named else []
    if days.last_of_month:
        parts.append("the last day of the month")
    if days.shortened and max(days.of_month, default=0) > 28:
        parts[0] += " (the last day in a shorter month)"
    return " and ".join(parts)


def _of_week(days: Days) -> str:
    if days.weekdays is None:
        return ""
    # A week begins on Monday.
    parts = _named_runs(sorted((each - 1) % 7 for each in days.weekdays), lambda each: _WEEK[(each + 1) % 7])
    parts += [f"the {_ORDINALS[which]} {_WEEK[weekday]} of the month" for weekday, which in sorted(days.nth)]
    parts += [f"the last {_WEEK[weekday]} of the month" for weekday in sorted(days.last)]
    return _listed(parts)


def _count(rule: Rule) -> str:
    days = sum((end - begin).days + 1 for begin, end in rule.exceptions.ranges)
    if days == 1:
        return rule.exceptions.ranges[0][0].isoformat()
    return f"{days} days of exception"


def _step(numbers: Sequence[int], end: int) -> int | None:
    """Return the step with which numbers go on to the end of the round; None where they do not."""
    if len(numbers) < 2:
        return None
    step = numbers[1] - numbers[0]
    return step if list(numbers) == list(range(numbers[0], end, step)) and numbers[0] < step else None


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = runs[-1][0], number
        else:
            runs.append((number, number))
    return runs


def _named_runs(numbers: Iterable[int], name: Callable[[int], str]) -> list[str]:
    parts: list[str] = []
    for first, last in _runs(numbers):
        if last > first + 1:
            parts.append(f"{name(first)} to {name(last)}")
        else:
            parts += [name(each) for each in range(first, last + 1)]
    return parts


def _listed(parts: Sequence[str]) -> str:
    """Return the parts as a list in a sentence."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
