"""Templates for both doors: who acts on them, the installation they are read in, and previews."""

from collections.abc import Mapping
from typing import Any

import msgspec

from commands.template_uses import fill_in
from domain.language import Parsed
from domain.refusal import Problem
from domain.templates.access import TemplateCaller
from domain.templates.references import TemplateReference
from edge.door import Door
from edge.principal import Principal
from edge.scopes import READ_TEMPLATES
from gateway.catalogue import release
from queries.templates.preview import preview_text
from queries.templates.surroundings import TemplateSurroundings
from queries.templates.views import TemplatePreview

NO_ANSWERS: Mapping[str, Any] = {}


class TemplateToPreview(msgspec.Struct, frozen=True):
    """The answers to try out. version: default: the latest. name: of the process. Default: that of the template."""

    parameters: Mapping[str, Any] = NO_ANSWERS
    version: int | None = None
    name: str | None = None
    replace_agents: Mapping[str, str] = NO_ANSWERS


def template_caller(principal: Principal) -> TemplateCaller:
    """Return who acts on templates."""
    every = principal.may(READ_TEMPLATES)
    return TemplateCaller(principal.actor, principal.teams, every, principal.processes)


def surroundings_of(door: Door) -> TemplateSurroundings:
    """Return the installation that templates are read in."""
    handlers = door.handlers
    return TemplateSurroundings(release(), handlers.channels, handlers.policy.secrets, handlers.catalogue)


def preview_template(
    door: Door, principal: Principal, reference: TemplateReference, request: TemplateToPreview
) -> TemplatePreview:
    """Return the process that a template would make; record nothing.

    Raises TemplateNotFound, Malformed with every problem of the answers, or Forbidden as `use` does.
    """
    handlers = door.handlers
    found = handlers.template_uses.find(reference, request.version, template_caller(principal))
    name = request.name or reference.name
    filled = fill_in(found, release(), request.parameters, name, request.replace_agents)

    def problems_of(parsed: Parsed) -> list[Problem]:
        return handlers.processes.problems_of_draft(parsed)

    return preview_text(
        door.reading,
        reference.template_id,
        found.version,
        filled.yaml,
        filled.values,
        problems_of,
        door.clock.now(),
        sees=principal.sees,
    )
