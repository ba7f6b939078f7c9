"""Save a process as a template, share it, and withdraw it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec

from commands.command import Beside, Command, CommandScope, Note, ProcessId, Reason, TemplateId, VersionNumber
from commands.deciding import Identified, decide, unidentified
from commands.receipt import Receipt
from domain.event import Cause
from domain.identity import template_id
from domain.processes.process import Process
from domain.processes.process import fold as fold_process
from domain.refusal import Forbidden, Malformed, NotFound, Problem, ProcessNotFound
from domain.templates.access import TemplateCaller
from domain.templates.decisions import (
    TemplateContent,
    save_template,
    share_template,
    withdraw_template,
)
from domain.templates.references import ORG, TEMPLATE_NAME, TemplateReference, name_from
from domain.templates.saving import SavedDocument, TemplateHeading, document_to_save
from domain.templates.state import OrganisationTemplate, fold
from store.log import Log

MOST_TAGS, LONGEST_TAG, MOST_PARAMETERS = 20, 40, 100


class SaveTemplate(Command, frozen=True):
    """Save a process as a template, or as the next version of one. version: a published one; default: the draft.

    id: what stands after ``org:`` in its id. Default: from the name. team: of the caller, whose members keep it too.
    parameters: by name, with the path of the value in the process, type and so on.
    """

    scope = CommandScope.TEMPLATES_WRITE
    process_id: ProcessId
    caller: Annotated[TemplateCaller, Beside()]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    id: Annotated[str, msgspec.Meta(pattern=f"^{TEMPLATE_NAME}$", max_length=64)] | None = None
    description: Note = ""
    tags: Annotated[list[str], msgspec.Meta(max_length=MOST_TAGS)] = []
    category: Annotated[str, msgspec.Meta(max_length=LONGEST_TAG)] = ""
    version: VersionNumber | None = None
    team: Annotated[str, msgspec.Meta(max_length=64)] = ""
    parameters: dict[str, Any] = {}


class ShareTemplate(Command, frozen=True):
    """Let others see and use a template. shared_with: ``private``, ``team:NAME`` or ``organisation``."""

    scope = CommandScope.TEMPLATES_WRITE
    template: TemplateId
    caller: Annotated[TemplateCaller, Beside()]
    shared_with: Annotated[str, msgspec.Meta(max_length=80)]


class WithdrawTemplate(Command, frozen=True):
    """Take a template out of use. reason: why, for people."""

    scope = CommandScope.TEMPLATES_WRITE
    template: TemplateId
    caller: Annotated[TemplateCaller, Beside()]
    reason: Reason


class Templates:
    """The handlers of the commands above."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def save(self, command: SaveTemplate, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Record the process as a template; facts hold `template_id`, `version`, `removed_secrets` and `warnings`.

        Raises NotFound, Malformed with every problem of the document, or Forbidden ``template_name_taken``.
        """
        process = fold_process(self._log.stream(command.process_id))
        if process is None:
            raise ProcessNotFound(f"there is no process {command.process_id}")
        name = command.id or name_from(command.name)
        problems = [*_tag_problems(command.tags), *_parameter_problems(command.parameters)]
        if not name:
            problems.append(Problem("invalid_name", "a name has letters or digits", "name"))
        if problems:
            raise Malformed(problems[0].message, problems)
        number, source = _source(process, command.version)
        tags = tuple(command.tags)
        heading = TemplateHeading(name, command.name, command.description, tags, command.category)
        saved = document_to_save(source, heading, command.parameters)
        needs = saved.needs
        content = TemplateContent(
            name,
            saved.text,
            command.name,
            command.description,
            tags,
            command.category,
            process.name,
            number,
            {"agents": [*needs.agents], "secrets": [*needs.secrets], "channels": [*needs.channels]},
        )
        return decide(
            self._log,
            template_id(name),
            fold,
            lambda template: save_template(template, content, command.team, command.caller, cause),
            facts=lambda template, new: _facts(name, template, len(new), saved),
            identified=identified,
        )

    def share(self, command: ShareTemplate, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Share the template; facts hold `template_id` and `shared_with`. Raises as `share_template` does."""
        return decide(
            self._log,
            _stream(command.template),
            fold,
            lambda template: share_template(template, command.shared_with, command.caller, cause),
            facts=lambda _template, _new: {
                "template_id": command.template.template_id,
                "shared_with": command.shared_with,
            },
            identified=identified,
        )

    def withdraw(self, command: WithdrawTemplate, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Withdraw the template; facts hold `template_id`. Raises as `withdraw_template` does."""
        return decide(
            self._log,
            _stream(command.template),
            fold,
            lambda template: withdraw_template(template, command.reason, command.caller, cause),
            facts=lambda _template, _new: {"template_id": command.template.template_id},
            identified=identified,
        )


def _stream(reference: TemplateReference) -> UUID:
    """Return the stream of a template. Raises Forbidden for one of the package."""
    if reference.source != ORG:
        message = (
            f"{reference.template_id} is part of Procession: save a process made from it as a template of your own"
        )
        raise Forbidden(message, code="template_bundled")
    return template_id(reference.name)


def _facts(name: str, template: OrganisationTemplate | None, new: int, saved: SavedDocument) -> dict[str, object]:
    return {
        "template_id": f"{ORG}:{name}",
        "version": (0 if template is None else template.version) + new,
        "removed_secrets": list(saved.removed),
        "warnings": list(saved.warnings),
    }


def _source(process: Process, version: int | None) -> tuple[int, str]:
    """Return the number and the text of a published version; default: 0 and the draft, else the latest version."""
    if version is None and process.draft_source is not None:
        return 0, process.draft_source
    number = process.latest if version is None else version
    if number not in process.versions:
        raise NotFound(f"{process.name} has no version {number}, and no draft")
    return number, process.versions[number].source


def _parameter_problems(parameters: Mapping[str, Any]) -> list[Problem]:
    """Return a problem for each parameter that is no object; the document checks the others."""
    if len(parameters) > MOST_PARAMETERS:
        return [Problem("too_many", f"a template has at most {MOST_PARAMETERS} parameters", "parameters")]
    bad = [name[:80] for name, each in parameters.items() if not isinstance(each, dict)]
    return [Problem("wrong_type", f"{name} is an object", f"parameters.{name}") for name in bad]


def _tag_problems(tags: Sequence[str]) -> list[Problem]:
    message = f"a tag is a text of 1 to {LONGEST_TAG} characters"
    bad = [number for number, tag in enumerate(tags) if not tag.strip() or len(tag) > LONGEST_TAG]
    return [Problem("invalid_tag", message, f"tags[{number}]") for number in bad]
