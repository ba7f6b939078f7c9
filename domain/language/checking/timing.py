"""Consistency of times: of timers, timeouts and retries."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from domain.calendar.durations import parse_duration
from domain.calendar.zones import instant_of, parse_time, parse_zone
from domain.language.reading.nodes import Mapping, Node, Scalar, Sequence, plain, text_of
from domain.language.reading.problems import Problems
from domain.language.types.steps import STEP_TYPES


def check_timing(step: Mapping, default_timeout: bool, problems: Problems) -> None:
    """Note problems of the times of a canonical step; `default_timeout`: the defaults set a timeout."""
    kind = text_of(step.entries.get("type")) or ""
    if kind == "timer":
        _check_timer(step, problems)
    if "on_deadline" in step.entries and "deadline" not in step.entries:
        _unused(step, "on_deadline", "without a `deadline`", problems)
    check_retry(step.entries.get("retry"), problems)
    one, total = _duration_of(step.entries.get("timeout")), _duration_of(step.entries.get("total_timeout"))
    if one is not None and total is not None and one > total:
        message = "one attempt may take longer than all of them together; `total_timeout` ends it first"
        problems.add("timeout_exceeds_total", message, step.entries["timeout"], severity="warning")
    given = default_timeout and kind in STEP_TYPES and STEP_TYPES[kind].takes_defaults
    if "on_timeout" in step.entries and not given and not step.entries.keys() & {"timeout", "total_timeout"}:
        _unused(step, "on_timeout", "without a `timeout`", problems)


def check_retry(retry: Node | None, problems: Problems) -> None:
    """Note a policy that retries nothing, and an error code that it both retries and excludes."""
    if not isinstance(retry, Mapping):
        return
    attempts = retry.entries.get("max_attempts")
    once = attempts is None or (isinstance(attempts, Scalar) and attempts.value == 1)
    if once and retry.entries.keys() - {"max_attempts"}:
        message = "nothing is retried: `max_attempts` counts the first attempt too, and is 1 unless it is given"
        problems.add("nothing_retried", message, retry, severity="warning")
    if "multiplier" in retry.entries and text_of(retry.entries.get("backoff")) != "exponential":
        _unused(retry, "multiplier", "unless `backoff` is `exponential`", problems)
    retried = {text_of(node) for node in _items(retry, "retry_on")} - {None}
    for node in _items(retry, "give_up_on"):
        if text_of(node) in retried:
            problems.add("retry_contradicts", f"`{str(text_of(node))[:60]}` is in `retry_on` as well", node)


def _check_timer(step: Mapping, problems: Problems) -> None:
    until, duration = step.entries.get("until"), step.entries.get("duration")
    if until is None and duration is None:
        message = "a timer needs `duration` or `until`"
        problems.add("missing_field", message, step, below=".duration")
    if until is not None and duration is not None:
        problems.add("duration_and_until", "a timer has `duration` or `until`, not both", until)
    named = step.entries.get("timezone")
    if until is None:
        if named is not None:
            _unused(step, "timezone", "without `until`", problems)
        return
    written = text_of(until)
    if not written or "{{" in written:
        return
    try:
        time = parse_time(written)
        zone = _zone_of(named)
        if time.tzinfo is None and named is None:
            hint = "add a `timezone` such as Europe/Berlin, or an offset such as Z"
            problems.add("missing_field", "a time without an offset needs a `timezone`", until, hint=hint)
        elif time.tzinfo is not None and named is not None:
            _unused(step, "timezone", "beside a time with an offset", problems)
    except ValueError:
        return  # a malformed one is reported at its own location
    try:
        if time.tzinfo is not None or zone is not None:
            instant_of(time, zone)
    except ValueError as error:
        problems.add("invalid_time", f"`until`: {error}", until)


def _zone_of(node: Node | None) -> ZoneInfo | None:
    name = text_of(node)
    return None if name is None else parse_zone(name)


def _duration_of(node: Node | None) -> timedelta | None:
    try:
        return None if node is None else parse_duration(plain(node))
    except ValueError:
        return None


def _items(part: Mapping, key: str) -> list[Node]:
    node = part.entries.get(key)
    return node.items if isinstance(node, Sequence) else []


def _unused(part: Mapping, field: str, when: str, problems: Problems) -> None:
    message = f"`{field}` means nothing {when}, it is ignored"
    problems.add("unused_field", message, part.keys.get(field, part), severity="warning")
