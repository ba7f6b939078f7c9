"""Rules of schedules before anything is saved: a page to try one out, and those of a text in the editor."""

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from starlette.responses import Response

from domain.language import Parsed
from domain.language.editing.writing import write_value
from domain.language.reading.nodes import plain
from domain.language.reading.problems import Problems
from domain.language.reading.source import UnreadableSource, decode_source
from domain.language.reading.tree import read_tree
from domain.language.types.definition import Definition
from domain.language.types.triggers import ScheduleTrigger
from domain.refusal import Malformed, Problem
from edge.dependencies import Reads, TheDoor
from edge.door import Door
from edge.instants import parse_instant
from edge.scopes import READ, requires
from queries.calendars import contents_of
from queries.reading import Reading
from queries.schedule_previews import SchedulePreview, preview_schedule, trigger_of
from web.forms import PageParameters
from web.layout import page
from web.schedules.marks import FLAGS
from web.templating import render

HREF = "/schedules/preview"
EXAMPLE = """preset: weekdays
at: "09:00"
timezone: Europe/Berlin"""
COUNT = 20
BESIDE_THE_RULE = ("type", "id", "input", "enabled")
# Of a text in the editor.
MOST_TRIGGERS = 5
BESIDE = 5

router = APIRouter()


class PreviewFields(PageParameters):
    """The fields of the form. rule: a trigger as in a definition, or an expression; begin: the first moment."""

    rule: Annotated[str, Query(max_length=4_000)] = ""
    begin: Annotated[str, Query(alias="from", max_length=64)] = ""


class PreviewedTrigger(msgspec.Struct, frozen=True):
    """A trigger of a text, with its preview or the reason why there is none."""

    trigger_id: str
    view: SchedulePreview | None
    reason: str = ""


@router.get(HREF, **requires(READ, listed=True))
def try_out(request: Request, reading: Reads, door: TheDoor, given: Annotated[PreviewFields, Query()]) -> Response:
    """Return the page on which a rule is tried out."""
    view, problems = None, list[Problem]()
    if given.rule.strip():
        try:
            trigger = trigger_of(_stated(given.rule), door.handlers.shortest_interval)
            since = _first_moment(given.begin, door.clock.now())
            view = preview_schedule(trigger, COUNT, since, contents_of(reading, trigger.except_ or ()))
        except Malformed as refusal:
            problems = refusal.problems or [Problem(refusal.code, refusal.message)]
    return page(
        request,
        "schedule-preview.html",
        title="Try a rule",
        nav="Schedules",
        # A rule that is being typed is often none yet: that is no failure of the page that shows it.
        code=422 if problems and "hx-request" not in request.headers else 200,
        crumbs=[("Schedules", "/schedules"), ("Try a rule", None)],
        given=given,
        example=EXAMPLE,
        view=view,
        problems=problems,
        flags=FLAGS,
    )


def previews_beside(door: Door, reading: Reading, parsed: Parsed) -> Markup | None:
    """Return the coming instants of the schedules of a text, as HTML; None while the text has errors."""
    found = _previews(door, reading, parsed.definition)
    return None if found is None else _drawn(found)


def without_previews() -> Markup:
    """Return what stands in the place of the previews of a text that has errors."""
    return _drawn(None)


def _drawn(previews: list[PreviewedTrigger] | None) -> Markup:
    """Return a part of a page, whose template has escaped every text."""
    return Markup(render("schedule-previews.html", {"previews": previews, "flags": FLAGS}))  # noqa: S704


def _previews(door: Door, reading: Reading, definition: Definition | None) -> list[PreviewedTrigger] | None:
    if definition is None:
        return None
    triggers = [each for each in definition.triggers if isinstance(each, ScheduleTrigger)][:MOST_TRIGGERS]
    if not triggers:
        return []
    names = {name for each in triggers for name in each.except_ or ()}
    calendars = contents_of(reading, names)
    preview = functools.partial(preview_schedule, count=BESIDE, since=door.clock.now(), calendars=calendars)
    found = list[PreviewedTrigger]()
    for each in triggers:
        try:
            found.append(PreviewedTrigger(each.id, preview(each)))
        except Malformed as refusal:
            found.append(PreviewedTrigger(each.id, None, "; ".join(problem.message for problem in refusal.problems)))
    return found


def as_rule(trigger: msgspec.Raw) -> str:
    """Return a trigger as a text that the page takes: its fields, a line each, without those that are no rule."""
    stated = msgspec.json.decode(trigger)
    return "\n".join(
        f"{name}: {write_value(value, json_only=False)}"
        for name, value in stated.items()
        if name not in BESIDE_THE_RULE
    )


def _stated(text: str) -> Mapping[str, Any]:
    """Return the trigger that was typed; one line without a colon is an expression. Raises Malformed."""
    if ":" not in text and "\n" not in text.strip():
        return {"cron": text.strip()}
    problems = Problems()
    try:
        root = read_tree(decode_source(text), problems)
    except UnreadableSource as unreadable:
        raise Malformed("the rule cannot be read", [unreadable.problem]) from None
    if problems.errors:
        raise Malformed("the rule cannot be read", problems.all())
    stated = None if root is None else plain(root)
    if isinstance(stated, list) and len(stated) == 1:
        stated = stated[0]
    if not isinstance(stated, dict):
        problem = Problem("wrong_type", "a rule is written as the fields of a trigger, or as one expression", "trigger")
        raise Malformed("this is no schedule", [problem])
    return stated


def _first_moment(written: str, now: datetime) -> datetime:
    """Return the moment from which instants are shown. Raises Malformed."""
    try:
        return parse_instant(written.strip()) if written.strip() else now
    except ValueError as error:
        raise Malformed("this is no time", [Problem("invalid_time", str(error), "from")]) from None
