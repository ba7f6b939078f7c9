"""What happened in the golden histories of templates. Never change a told story."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID

import msgspec

from domain.event import Cause, Event
from domain.identity import process_id, template_id
from domain.language import parse_definition
from domain.processes.decisions import draft_process, publish_process, revise_process
from domain.processes.lineage import Lineage
from domain.processes.process import Process, evolve
from domain.templates.access import TemplateCaller
from domain.templates.decisions import TemplateContent, save_template, share_template, withdraw_template
from domain.templates.state import fold

Told = tuple[UUID, list[Event]]

NAME, MADE = "golden-template", "golden-made"
BEGIN = datetime(2026, 12, 2, 8, tzinfo=UTC)
SOURCE = """template:
  id: golden-template
  name: Golden template
  parameters:
    writer: {type: agent, default: writer}
process:
  name: golden-template
  steps:
    - {id: write, agent: "${{ parameters.writer }}", message: Write}
"""
DEFINITION = "name: golden-made\nsteps:\n  - {id: write, agent: author, message: Write}\n"


def cause(hours: int, actor: str = "user:ilse") -> Cause:
    """Return the cause of what happens so many hours after the beginning."""
    return Cause(BEGIN + timedelta(hours=hours), actor, "request", "tie")


def template(_: Any) -> Told:
    """Saved, shared with a team and with all, withdrawn, and saved again by a colleague of the team that keeps it."""
    ilse, omar = TemplateCaller("user:ilse", frozenset({"desk"})), TemplateCaller("user:omar", frozenset({"desk"}))
    first = TemplateContent(
        NAME, SOURCE, "Golden template", "For the record.", ("writing", "record"), "office", "golden-made", 1
    )
    second = msgspec.structs.replace(first, source=SOURCE + "# second\n", process_version=2)
    events: list[Event] = []
    events += save_template(None, first, "desk", ilse, cause(0))
    events += share_template(fold(events), "team:desk", ilse, cause(1))
    events += share_template(fold(events), "organisation", ilse, cause(2))
    events += withdraw_template(fold(events), "It is wrong.", omar, cause(3, omar.actor))
    events += save_template(fold(events), second, "", omar, cause(4, omar.actor))
    return template_id(NAME), events


def made(_: Any) -> Told:
    """A process that was made from a template, and published."""
    lineage = Lineage(f"org:{NAME}", 2, {"writer": "writer", "rounds": 3}, {"writer": "author"})
    parsed = parse_definition(DEFINITION)
    drafted = draft_process(None, parsed, cause(5), lineage)
    process: Process | None = reduce(evolve, drafted, None)
    assert process is not None
    return process_id(MADE), [*drafted, *publish_process(process, parsed, [], cause(6))]


def needing(_: Any) -> Told:
    """Saved twice, with what it needs."""
    ilse = TemplateCaller("user:ilse")
    needs = {"agents": ["writer"], "secrets": ["DESK_KEY"], "channels": ["desk"]}
    first = TemplateContent("golden-needs", SOURCE, "Golden needs", needs=needs)
    second = msgspec.structs.replace(first, source=SOURCE + "# second\n", needs={"agents": ["author"]})
    events = save_template(None, first, "", ilse, cause(0))
    events += save_template(fold(events), second, "", ilse, cause(1))
    return template_id("golden-needs"), events


def updated(_: Any) -> Told:
    """A process that was made from a template, took a later version of it, and was published."""
    parsed = parse_definition(DEFINITION.replace("golden-made", "golden-updated"))
    lineage = Lineage(f"org:{NAME}", 1, {"writer": "writer"}, {"writer": "author"})
    later = msgspec.structs.replace(lineage, template_version=2, answers={"writer": "writer", "rounds": 3})
    events = draft_process(None, parsed, cause(5), lineage)
    events += revise_process(reduce(evolve, events, None), parsed, cause(6), later)  # type: ignore[arg-type]
    events += publish_process(reduce(evolve, events, None), parsed, [], cause(7))  # type: ignore[arg-type]
    return process_id("golden-updated"), events


STORIES: dict[str, Callable[[Any], Told]] = {
    "template": template,
    "template-with-needs": needing,
    "process-made-from-a-template": made,
    "process-with-a-newer-template": updated,
}
