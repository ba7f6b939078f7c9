"""The process that a template would make, without making it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from domain.calendar.rule import InvalidRule
from domain.calendars.calendar import CalendarContent
from domain.language import Parsed, definition_document, parse_definition
from domain.language.types.definition import Definition
from domain.language.types.triggers import ScheduleTrigger
from domain.refusal import Malformed, Problem
from queries.amounts import Amount
from queries.analytics.usual import usual_figures
from queries.calendars import contents_of
from queries.processes import StepRoles
from queries.reading import Reading, fetch
from queries.schedule_previews import preview_schedule
from queries.templates.uses import USES
from queries.templates.views import PreviewedSchedule, PreviewedStep, TemplatePreview

NEXT_RUNS = 5
MOST_SCHEDULES = 20
MOST_PROCESSES = 20

_MADE = "select process_id, process from template_uses where template_id = %s order by position desc limit %s"


def preview_text(
    reading: Reading,
    template_id: str,
    template_version: int,
    text: str,
    values: Mapping[str, Any],
    problems_of: Callable[[Parsed], Sequence[Problem]],
    now: datetime,
    *,
    sees: Callable[[str], bool],
) -> TemplatePreview:
    """Return the preview of a text that a template makes. problems_of: a draft's problems. sees: visible processes."""
    parsed = parse_definition(text)
    definition = parsed.definition
    steps = [] if definition is None else definition_document(definition)["steps"]
    return TemplatePreview(
        template_id=template_id,
        template_version=template_version,
        name=parsed.name or "",
        parameters=dict(values),
        definition=None if definition is None else definition_document(definition),
        yaml=text,
        steps=[_step(each) for each in steps],
        roles=[_roles(each) for each in steps],
        schedules=[] if definition is None else _schedules(reading, definition, now),
        estimated_cost=_estimated_cost(reading, template_id, sees),
        problems=problems_of(parsed),
    )


def _step(step: Mapping[str, Any]) -> PreviewedStep:
    depends_on = step.get("depends_on", [])
    return PreviewedStep(step["id"], step.get("name"), step["type"], step.get("agent"), list(depends_on))


def _roles(step: Mapping[str, Any]) -> StepRoles:
    roles = step.get("roles", {})
    return StepRoles(step["id"], step.get("agent"), roles.get("monitors", []), roles.get("informed", []))


def _schedules(reading: Reading, definition: Definition, now: datetime) -> list[PreviewedSchedule]:
    triggers = [each for each in definition.triggers if isinstance(each, ScheduleTrigger)][:MOST_SCHEDULES]
    calendars = contents_of(reading, {name for each in triggers for name in each.except_ or ()})
    return [_schedule(each, calendars, now) for each in triggers]


def _schedule(trigger: ScheduleTrigger, calendars: Mapping[str, CalendarContent], now: datetime) -> PreviewedSchedule:
    try:
        found = preview_schedule(trigger, NEXT_RUNS, now, calendars)
    except (Malformed, InvalidRule) as refused:
        return PreviewedSchedule(trigger.id, str(refused), [])
    runs = (each for each in found.items if not {"skipped", "moved", "coalesced"} & set(each.flags))
    return PreviewedSchedule(trigger.id, found.words, list(islice(runs, NEXT_RUNS)))


def _estimated_cost(reading: Reading, template_id: str, sees: Callable[[str], bool]) -> list[Amount] | None:
    """Return the usual cost of the newest process made from the template that has one; None where none has."""
    made = _made(reading, template_id, sees)
    usual = usual_figures(reading, made)
    return next((usual[each].cost for each in made if each in usual and usual[each].cost), None)


def _made(reading: Reading, template_id: str, sees: Callable[[str], bool]) -> Collection[UUID]:
    with reading.of(USES) as (connection, _):
        rows = fetch(connection, _MADE, (template_id, MOST_PROCESSES))
    return [row["process_id"] for row in rows if sees(row["process"])]
