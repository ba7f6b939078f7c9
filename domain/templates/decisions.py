"""Decisions about a template of the organisation: pure functions from state and document to events, or a refusal."""

import re

import msgspec

from domain.event import Cause, Event, record
from domain.refusal import Forbidden, Malformed, NotFound, Problem
from domain.templates.access import TemplateCaller
from domain.templates.events import TemplatePublished, TemplateRevised, TemplateShared, TemplateWithdrawn
from domain.templates.state import ORGANISATION, PRIVATE, TEAM_PREFIX, OrganisationTemplate

_TEAM = re.compile(rf"{TEAM_PREFIX}[A-Za-z0-9._@-]{{1,64}}", re.ASCII)


class TemplateNotFound(NotFound):
    """There is no such template, or the caller does not see it."""

    code = "template_not_found"


class NotTemplateKeeper(Forbidden):
    """Only its author, its team and admins revise, share or withdraw a template."""

    code = "not_template_keeper"


class TemplateContent(msgspec.Struct, frozen=True):
    """A version of a template that is to be recorded; the fields are those of TemplatePublished."""

    name: str
    source: str
    title: str
    description: str = ""
    tags: tuple[str, ...] = ()
    category: str = ""
    process: str = ""
    process_version: int = 0
    needs: dict[str, list[str]] = {}


def save_template(
    template: OrganisationTemplate | None, content: TemplateContent, team: str, caller: TemplateCaller, cause: Cause
) -> list[Event]:
    """Publish a new template, or a further version of one that the caller keeps.

    Returns no events for the document that the template has. team: of the caller, who keep a new template with it; for
    one that exists it is left as it is. Raises Malformed, or Forbidden ``template_name_taken``.
    """
    facts = {**msgspec.structs.asdict(content), "tags": list(content.tags)}
    if template is None:
        if team and team not in caller.teams and not caller.admin:
            problem = Problem("not_your_team", f"you are not in the team {team[:64]!r}", "team")
            raise Malformed(problem.message, [problem])
        return [record(TemplatePublished, cause, team=team, **facts)]
    if not caller.keeps(template):
        message = f"the template name {content.name!r} is taken; choose another one"
        raise Forbidden(message, code="template_name_taken")
    if template.withdrawn is None and template.sources[-1] == content.source:
        return []
    return [record(TemplateRevised, cause, version=template.version + 1, **facts)]


def share_template(
    template: OrganisationTemplate | None, shared_with: str, caller: TemplateCaller, cause: Cause
) -> list[Event]:
    """Let others see and use the template; returns no events when they do already.

    Raises TemplateNotFound, NotTemplateKeeper, Malformed, or Forbidden ``template_withdrawn``.
    """
    kept = _kept(template, caller)
    if shared_with not in (PRIVATE, ORGANISATION) and not _TEAM.fullmatch(shared_with):
        problem = Problem("invalid_value", f"one of {PRIVATE}, {TEAM_PREFIX}NAME, {ORGANISATION}", "with")
        raise Malformed(problem.message, [problem])
    if shared_with == kept.shared_with:
        return []
    if kept.withdrawn is not None:
        raise Forbidden(f"the template {kept.name!r} is withdrawn", code="template_withdrawn")
    return [record(TemplateShared, cause, name=kept.name, shared_with=shared_with)]


def withdraw_template(
    template: OrganisationTemplate | None, reason: str, caller: TemplateCaller, cause: Cause
) -> list[Event]:
    """Take the template out of use; returns no events when it is. reason: text for people.

    Raises TemplateNotFound or NotTemplateKeeper.
    """
    kept = _kept(template, caller)
    if kept.withdrawn is not None:
        return []
    return [record(TemplateWithdrawn, cause, name=kept.name, reason=reason)]


def _kept(template: OrganisationTemplate | None, caller: TemplateCaller) -> OrganisationTemplate:
    """Return a template that the caller may change. Raises TemplateNotFound or NotTemplateKeeper."""
    if template is None or not caller.sees(template):
        raise TemplateNotFound("there is no such template")
    if not caller.keeps(template):
        raise NotTemplateKeeper("only its author, its team and admins change a template")
    return template
