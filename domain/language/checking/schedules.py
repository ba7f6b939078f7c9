"""Schedule triggers: consistency of their fields."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain.calendar.cron import InvalidCron, check_cron, parse_cron
from domain.calendar.durations import parse_duration
from domain.calendar.exceptions import is_calendar
from domain.calendar.rule import interval_objection
from domain.calendar.times import is_minute
from domain.calendar.zones import instant_of, parse_time, parse_zone
from domain.language.parsed import CalendarUse, IntervalUse, Parsed, Spot
from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, text_of
from domain.language.reading.problems import Problems
from domain.language.spelling.schedules import PRESETS
from domain.language.types.triggers import ScheduleTrigger
from domain.refusal import Problem

_IN_PRESETS = ("at", "on", "day", "short_month")


_RULES = ("cron", "preset", "every")

_HINTS = {
    ("daily", "on"): "for some days use `preset: weekly`",
    ("weekdays", "on"): "for other days use `preset: weekly`",
}


def intervals_in(root: Mapping) -> Iterator[IntervalUse]:
    """Return every interval that the schedules of a canonical tree state."""
    for node in _fields_in(root, "every"):
        try:
            value = node.value if isinstance(node, Scalar) else None
            yield IntervalUse(parse_duration(value), Spot(node.path, node.line, node.column))
        except ValueError:
            continue  # reported at its own location


def interval_problems(parsed: Parsed, shortest: timedelta, severity: str) -> list[Problem]:
    """Return a problem for each interval below `shortest`, the operator's. severity: ``warning`` for a draft."""
    return [
        Problem("interval_too_short", message, use.at.path, use.at.line, use.at.column, severity=severity)
        for use in parsed.intervals
        if (message := interval_objection(use.every, shortest)) is not None
    ]


def calendars_in(root: Mapping) -> Iterator[CalendarUse]:
    """Return every calendar that the schedules of a canonical tree name."""
    for field in _fields_in(root, "except"):
        for node in field.items if isinstance(field, Sequence) else [field]:
            name = text_of(node)
            if name is not None and is_calendar(name):
                yield CalendarUse(name, Spot(node.path, node.line, node.column))


def _fields_in(root: Mapping, field: str) -> Iterator[Node]:
    triggers = root.entries.get("triggers")
    for trigger in triggers.items if isinstance(triggers, Sequence) else ():
        if isinstance(trigger, Mapping) and text_of(trigger.entries.get("type")) == "schedule":
            node = trigger.entries.get(field)
            if node is not None:
                yield node


def check_schedule(trigger: Mapping, inputs: dict[str, Node] | None, problems: Problems) -> None:
    """Note duplicate, contradictory and useless fields of a canonical trigger; inputs: the declared input fields."""
    if text_of(trigger.entries.get("type")) != "schedule":
        return
    stated = [name for name in _RULES if name in trigger.entries]
    preset = text_of(trigger.entries.get("preset"))
    if not stated:
        message = "a schedule needs `cron`, `preset` or `every`"
        problems.add("missing_field", message, trigger, below=".cron")
    elif stated == ["cron", "preset"]:
        problems.add("cron_and_preset", "a schedule has `cron` or `preset`, not both", trigger.entries["cron"])
    elif len(stated) > 1:
        message = "a schedule has one of `cron`, `preset` and `every`"
        problems.add("several_rules", message, trigger.entries["every"])
    else:
        _check_preset(trigger, preset, problems)
    _check_cron(trigger.entries.get("cron"), problems)
    _check_minute(trigger, preset, problems)
    _check_exceptions(trigger, problems)
    if "dst" in trigger.entries and stated == ["every"]:
        _unused(trigger, "dst", "beside `every`, which counts the time that passes", problems)
    elif "dst" in trigger.entries and (text_of(trigger.entries.get("timezone")) or "UTC") == "UTC":
        _unused(trigger, "dst", "in UTC, where clocks are never changed", problems)
    if "catch_up_window" in trigger.entries and text_of(trigger.entries.get("catch_up")) == "none":
        _unused(trigger, "catch_up_window", "beside `catch_up: none`", problems)
    _check_span(trigger, problems)
    _check_complete(trigger, inputs or {}, problems)


def _check_preset(trigger: Mapping, preset: str | None, problems: Problems) -> None:
    """Note the fields that this preset, or an expression, does not take."""
    if preset is not None and preset not in PRESETS:
        return  # reported at its own location
    takes = ScheduleTrigger.takes[preset] if preset is not None else frozenset()
    for field in _IN_PRESETS:
        if field in trigger.entries and field not in takes:
            when = f"beside `preset: {preset}`" if preset is not None else "without a `preset`"
            _unused(trigger, field, when, problems, _HINTS.get((preset or "", field), ""))
    if "short_month" in takes and "short_month" in trigger.entries:
        day = trigger.entries.get("day")
        written = day.value if isinstance(day, Scalar) else 1
        if written == "last" or (isinstance(written, int) and written <= 28):
            _unused(trigger, "short_month", "for a day that every month has", problems)


def _check_cron(node: Node | None, problems: Problems) -> None:
    """Note an expression that stored versions may have, and that is read no more."""
    text = text_of(node)
    try:
        if node is None or text is None:
            return
        check_cron(text)
    except InvalidCron:
        return  # reported at its own location
    try:
        parse_cron(text)
    except InvalidCron as error:
        problems.add(error.code, str(error), node)


def _check_minute(trigger: Mapping, preset: str | None, problems: Problems) -> None:
    """Note an hourly schedule with an hour, and any other one without."""
    node = trigger.entries.get("at")
    at = text_of(node)
    if node is None or at is None or preset not in PRESETS:
        return
    if is_minute(at) and preset != "hourly":
        problems.add("invalid_time", "a time of the day is written like 09:00, up to 23:59", node)
    elif ":" in at and not is_minute(at) and preset == "hourly":
        hint = f"write `at: ':{at[-2:]}'`"
        problems.add("invalid_time", "an hourly schedule takes a minute, like :15", node, hint=hint)


def _check_exceptions(trigger: Mapping, problems: Problems) -> None:
    """Note a treatment of exceptions where there are none, and one that an interval cannot have."""
    node = trigger.entries.get("on_exception")
    if node is None:
        return
    if "except" not in trigger.entries:
        _unused(trigger, "on_exception", "without `except`", problems)
    elif "every" in trigger.entries and text_of(node) in ("next_day", "previous_day"):
        message = "`every` counts the time that passes and has no clock time to keep on another day"
        problems.add("invalid_value", message, node, hint="write `on_exception: skip`")


def _check_span(trigger: Mapping, problems: Problems) -> None:
    """Note an end that is no instant, and an end before the start."""
    starts, ends = _instant(trigger, "starts_at", problems), _instant(trigger, "ends_at", problems)
    if starts is not None and ends is not None and ends <= starts:
        message = "`ends_at` is not later than `starts_at`, so this never comes"
        problems.add("never_comes", message, trigger.entries["ends_at"])


def _instant(trigger: Mapping, field: str, problems: Problems) -> datetime | None:
    node = trigger.entries.get(field)
    try:
        time = parse_time(text_of(node) or "")
        zone = parse_zone(text_of(trigger.entries.get("timezone")) or "UTC")
    except ValueError:
        return None  # malformed instants are reported at their own location
    try:
        return instant_of(time, zone)
    except ValueError as error:
        if node is not None:
            problems.add("invalid_time", f"`{field}`: {error}", node)
        return None


def _check_complete(trigger: Mapping, inputs: dict[str, Node], problems: Problems) -> None:
    """Note required input that is missing: the fixed input of a schedule is its whole input."""
    fixed = trigger.entries.get("input")
    given = fixed.entries if isinstance(fixed, Mapping) else {}
    for name, field in inputs.items():
        value = given.get(name)
        if isinstance(field, Mapping) and _is_needed(field) and _is_missing(value, field):
            message = f"the input `{name[:60]}` is required, and a schedule has no other than its own `input`"
            below = "" if value is not None else f".{name[:60]}" if fixed is not None else f".input.{name[:60]}"
            problems.add("required_input", message, value or fixed or trigger, below=below)


def _is_needed(field: Mapping) -> bool:
    required = field.entries.get("required")
    return isinstance(required, Scalar) and required.value is True and "default" not in field.entries


def _is_missing(value: Node | None, field: Mapping) -> bool:
    """Return whether a value is missing; null counts as missing. A null of a declared type has been reported."""
    return value is None or (isinstance(value, Scalar) and value.value is None and "type" not in field.entries)


def _unused(part: Mapping, field: str, when: str, problems: Problems, hint: str = "") -> None:
    message = f"`{field}` means nothing {when}, it is ignored"
    problems.add("unused_field", message, part.keys.get(field, part), hint=hint, severity="warning")
