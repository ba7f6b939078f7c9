"""A rule tried out before anything is saved: its next instants, by the calculation that schedules go by."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import msgspec

from domain.calendar.instants import Fate, Instant, instants
from domain.calendar.rule import InvalidRule, interval_objection, rule_of
from domain.calendar.words import in_words
from domain.calendar.zones import canonical_zone, tzdata_version
from domain.calendars.calendar import CalendarContent
from domain.language import parse_definition
from domain.language.types.triggers import ScheduleTrigger
from domain.refusal import Malformed, Problem

MOST = 50
# An exception may be long, and a rule come every second: so many instants are listed at most, runs or not.
MOST_LISTED = 1_000
_TRIGGER = "triggers[0]"
_WHOLE = {"name": "preview", "steps": [{"id": "step", "agent": "agent", "message": "message"}]}


class PreviewedInstant(msgspec.Struct, frozen=True):
    """An instant of a rule. local: the time on the clocks of its zone; offset: theirs, as +02:00.

    flags: ``dst_gap``, ``dst_overlap``, ``short_month``; those with ``skipped``, ``moved`` or ``coalesced`` do not run.
    """

    utc: datetime
    local: str
    offset: str
    flags: list[str]


class SchedulePreview(msgspec.Struct, frozen=True):
    """The next instants of a rule, and the rule in words.

    timezone: as written; canonical_timezone: the name of the same zone today. tzdata: the edition of the zone data.
    """

    items: list[PreviewedInstant]
    words: str
    timezone: str
    canonical_timezone: str
    tzdata: str


def preview_schedule(
    trigger: ScheduleTrigger, count: int, since: datetime, calendars: Mapping[str, CalendarContent]
) -> SchedulePreview:
    """Return so many instants of a trigger that run from `since` on, and the exceptions between them.

    An interval without `starts_at` counts from `since`. Raises Malformed for a rule that cannot be worked out.
    """
    try:
        rule = rule_of(trigger, anchor=since, calendars=calendars)
    except InvalidRule as error:
        problem = Problem(error.code, str(error), f"trigger.{error.field}")
        raise Malformed("this rule cannot be worked out", [problem]) from None
    items: list[PreviewedInstant] = []
    runs = 0
    for each in islice(instants(rule, since, inclusive=True), MOST_LISTED):
        items.append(previewed(each))
        runs += each.fate is Fate.RUN
        if runs == count:
            break
    zone = trigger.timezone
    return SchedulePreview(items, in_words(rule), zone, canonical_zone(zone), tzdata_version())


def trigger_of(stated: Mapping[str, Any], shortest: timedelta) -> ScheduleTrigger:
    """Return the schedule trigger that a JSON object states. Raises Malformed with every problem of it.

    shortest: the operator's shortest interval.
    """
    whole = {**_WHOLE, "triggers": [{"type": "schedule", "id": "preview", **stated}]}
    parsed = parse_definition(msgspec.json.encode(whole))
    errors = [each for each in parsed.problems if each.severity == "error"]
    errors = [each for each in errors if each.path.startswith(_TRIGGER)] or errors
    found = None if parsed.definition is None else parsed.definition.triggers[0]
    if errors or not isinstance(found, ScheduleTrigger):
        problem = Problem("wrong_type", "only a trigger of the type `schedule` has a preview", "trigger.type")
        raise Malformed("this is no schedule", [_in_trigger(each) for each in errors] or [problem])
    message = None if found.every is None else interval_objection(found.every, shortest)
    if message is not None:
        raise Malformed("this is no schedule", [Problem("interval_too_short", message, "trigger.every")])
    return found


def _in_trigger(problem: Problem) -> Problem:
    path = "trigger" + problem.path.removeprefix(_TRIGGER)
    return msgspec.structs.replace(problem, path=path, line=None, column=None)


def previewed(instant: Instant) -> PreviewedInstant:
    """Return an instant as a preview shows it."""
    local = instant.local.isoformat(timespec="seconds")
    return PreviewedInstant(instant.at, local[:19], local[19:], list(instant.flags))
