"""The schedules of a process, registered, replaced and removed in the unit that changes the process."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from commands.deciding import Together
from domain.calendar.exceptions import is_calendar
from domain.calendars.calendar import CalendarContent
from domain.calendars.calendar import fold as fold_calendar
from domain.calendars.events import CalendarDefined
from domain.event import Cause, Event
from domain.identity import calendar_id, process_id, schedule_id
from domain.language import interval_problems
from domain.language.parsed import Parsed, Spot
from domain.processes.process import Process
from domain.refusal import Problem
from domain.schedules.decisions import register_schedule, remove_schedule
from domain.schedules.rules import terms_of
from domain.schedules.schedule import fold
from store.carried import read_carried, version_of
from store.lists import due_schedules
from store.log import Log
from store.unit import StreamChange

SHORTEST_INTERVAL = timedelta(seconds=10)


def schedules_of(process: Process | None) -> dict[str, dict[str, Any]]:
    """Return the schedule triggers that a process has in force, by their ids: none of an archived process."""
    if process is None or process.status != "published" or not process.latest:
        return {}
    triggers = process.versions[process.latest].definition.get("triggers", [])
    return {each["id"]: each for each in triggers if each["type"] == "schedule" and each.get("enabled", True)}


def calendars_of(rules: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the names of the calendars that rules use."""
    entries = (entry for rule in rules for entry in _entries(rule.get("except", ())))
    return {entry for entry in entries if is_calendar(entry)}


def schedule_problems(log: Log, parsed: Parsed, shortest: timedelta, severity: str) -> list[Problem]:
    """Return a problem for each interval below the operator's, and each calendar that there is not.

    severity: ``warning`` for a draft.
    """
    problems = interval_problems(parsed, shortest, severity)
    known, _ = read_calendars(log, {use.name for use in parsed.calendars})
    for named in parsed.calendars:
        if named.name not in known:
            message = f"there is no calendar `{named.name}`"
            hint = "define it first, or write dates such as 2026-12-24 and ranges such as 2026-12-24..2026-12-26"
            problems.append(_located("unknown_calendar", message, named.at, severity, hint))
    return problems


def _located(code: str, message: str, at: Spot, severity: str, hint: str = "") -> Problem:
    return Problem(code, message, at.path, at.line, at.column, hint, severity)


def register_schedules(log: Log, process: Process | None, cause: Cause, *, reason: str, paused: str = "") -> Together:
    """Return the changes that put the schedules of a process as it is now in force, and take all others out of it.

    reason: of a removal. paused: register new ones paused, for this reason. A rule that this release refuses is
    registered paused.
    """
    if process is None:
        return Together()
    id = process_id(process.name)
    rules = schedules_of(process)
    by_id = {schedule_id(id, trigger): rule for trigger, rule in rules.items()}
    with log.datastore.reading() as connection:
        registered = due_schedules.of_process(connection, id)
    streams = _read(log, {*registered, *by_id})
    calendars, guards = read_calendars(log, calendars_of(rules.values()))
    changes: list[StreamChange] = []
    for stream in {*streams, *by_id}:
        events = streams.get(stream, [])
        schedule = fold(None, events)
        new: list[Event] = []
        if stream in by_id:
            rule = by_id[stream]
            used = {name: calendars[name] for name in calendars_of([rule]) if name in calendars}
            why = paused if schedule is None else ""
            new = register_schedule(schedule, id, process.name, process.latest, rule, used, cause, terms_of, paused=why)
        elif schedule is not None:
            new = remove_schedule(schedule, reason, cause, terms_of)
        if new:
            changes.append(StreamChange(stream, version_of(events), new))
    return Together(guards if changes else (), tuple(changes))


def reregister_users(log: Log, calendar: str, defined: Iterable[Event], cause: Cause) -> Together:
    """Return the changes after which the schedules that use a calendar go by its new days, for the future."""
    with log.datastore.reading() as connection:
        users = due_schedules.users_of(connection, calendar)
    changes: list[StreamChange] = []
    for stream, events in _read(log, users).items():
        schedule = fold(None, events)
        registration = None if schedule is None else schedule.in_force
        if schedule is None or registration is None or calendar not in registration.calendars:
            continue
        for event in defined:
            if isinstance(event, CalendarDefined):
                version = registration.calendars[calendar].version + 1
                calendars = {**registration.calendars, calendar: CalendarContent(version, event.days)}
                process, rule = schedule.process, registration.rule
                new = register_schedule(
                    schedule, schedule.process_id, process, registration.version, rule, calendars, cause, terms_of
                )
                changes.append(StreamChange(stream, version_of(events), new))
    return Together((), tuple(changes))


def read_calendars(log: Log, names: Iterable[str]) -> tuple[dict[str, CalendarContent], tuple[tuple[UUID, int], ...]]:
    """Return the present contents of calendars by name, and the revisions that this rests on."""
    ids = {calendar_id(name): name for name in names}
    streams = log.streams(ids) if ids else {}
    found: dict[str, CalendarContent] = {}
    for id, name in ids.items():
        calendar = fold_calendar(streams.get(id, []))
        if calendar is not None:
            found[name] = calendar.content
    return found, tuple((id, len(streams.get(id, []))) for id in ids)


def _read(log: Log, ids: Collection[UUID]) -> dict[UUID, list[Event]]:
    if not ids:
        return {}
    with log.datastore.reading() as connection:
        return read_carried(connection, ids)


def _entries(written: Any) -> list[str]:
    return [written] if isinstance(written, str) else [each for each in written if isinstance(each, str)]
