"""Make a draft from a template: the answers filled in, agents replaced, the lineage recorded with it."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from commands.command import Beside, Command, CommandScope, TemplateId, VersionNumber
from commands.deciding import Identified, decide, unidentified
from commands.process_changes import beside_process
from commands.processes import Processes
from commands.receipt import Receipt, facts_about
from domain.event import Cause
from domain.identity import PROCESS_NAME, process_id, template_id
from domain.language import Parsed, parse_definition
from domain.processes.decisions import draft_process
from domain.processes.lineage import Lineage
from domain.processes.process import fold
from domain.refusal import Forbidden, Malformed
from domain.templates import state
from domain.templates.access import TemplateCaller
from domain.templates.answers import check_answers
from domain.templates.decisions import TemplateNotFound
from domain.templates.references import BUNDLED, TemplateReference
from domain.templates.replacing import replace_agents
from domain.templates.standing import TemplateStanding, standing_of
from domain.templates.substitution import render
from domain.templates.template import Template
from gateway.catalogue import Catalogue, release
from store.log import Log

MOST_SUGGESTIONS = 20


class UseTemplate(Command, frozen=True):
    """Make a draft from a template. version: default: the latest. parameters: the answers, by name.

    replace_agents: by an agent that the filled-in template names, the one to use in its place.
    """

    scope = CommandScope.PROCESSES_WRITE
    template: TemplateId
    caller: Annotated[TemplateCaller, Beside()]
    name: Annotated[str, msgspec.Meta(pattern=PROCESS_NAME, max_length=64)]
    version: VersionNumber | None = None
    parameters: dict[str, Any] = {}
    replace_agents: dict[str, str] = {}


class FoundTemplate(msgspec.Struct, frozen=True):
    """A version of a template that the caller sees."""

    reference: TemplateReference
    version: int
    source: str
    withdrawn: str | None = None


class FilledIn(msgspec.Struct, frozen=True):
    """A template with its answers. yaml: the text of the process. values: the answers with defaults."""

    template: Template
    yaml: str
    values: Mapping[str, Any]


class TemplateUses:
    """The handler of the command above. catalogue: of the bundled templates."""

    def __init__(self, log: Log, processes: Processes, catalogue: Catalogue) -> None:
        self._log = log
        self._processes = processes
        self._catalogue = catalogue

    def use(self, command: UseTemplate, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Draft a process; facts hold `process_id`, `name`, `template_id`, `template_version`, `problems`, `warnings`.

        Raises TemplateNotFound, Malformed with every problem of the answers, or Forbidden: ``process_name_taken``
        (details: suggestion), ``template_withdrawn``, ``template_invalid``, ``template_incompatible``.
        """
        found = self.find(command.template, command.version, command.caller)
        filled = fill_in(found, release(), command.parameters, command.name, command.replace_agents)
        parsed = parse_definition(filled.yaml)
        if parsed.name is None:
            raise Malformed("these answers make no definition", list(parsed.problems))
        id = found.reference.template_id
        lineage = Lineage(id, found.version, dict(filled.values), command.replace_agents)
        problems = self._processes.problems_of_draft(parsed)
        facts = {
            "process_id": str(process_id(parsed.name)),
            "name": parsed.name,
            "template_id": id,
            "template_version": found.version,
            **facts_about(problems),
        }
        try:
            return self._draft(parsed, lineage, facts, cause, identified)
        except Forbidden as refusal:
            if refusal.code == "process_name_taken":
                refusal.details["suggestion"] = self.free_name(parsed.name)
            raise

    def find(self, reference: TemplateReference, version: int | None, caller: TemplateCaller) -> FoundTemplate:
        """Return a version of a template that the caller sees, the latest by default. Raises TemplateNotFound."""
        if reference.source == BUNDLED:
            bundled = self._catalogue.find(reference.name, version)
            if bundled is not None:
                return FoundTemplate(reference, bundled.version, bundled.source)
        else:
            kept = state.fold(self._log.stream(template_id(reference.name)))
            number = 0 if kept is None else version or kept.version
            if kept is not None and caller.sees(kept) and 0 < number <= kept.version:
                return FoundTemplate(reference, number, kept.sources[number - 1], kept.withdrawn)
        raise TemplateNotFound(f"there is no template {reference.template_id}, or not in this version")

    def free_name(self, name: str) -> str:
        """Return a name that no process has: `name` with a number."""
        candidates = [f"{name[: 64 - 4]}-{number}" for number in range(2, 2 + MOST_SUGGESTIONS)]
        taken = self._log.existing(process_id(each) for each in candidates)
        free = (each for each in candidates if process_id(each) not in taken)
        return next(free, f"{name[: 64 - 9]}-{process_id(name).hex[:8]}")

    def _draft(
        self, parsed: Parsed, lineage: Lineage, facts: dict[str, object], cause: Cause, identified: Identified
    ) -> Receipt:
        return decide(
            self._log,
            process_id(parsed.name or ""),
            fold,
            lambda process: draft_process(process, parsed, cause, lineage),
            facts=lambda _process, _new: facts,
            identified=identified,
            together=lambda new: beside_process(self._log, None, new, cause),
        )


def usable(found: FoundTemplate, on: str) -> Template:
    """Return the template. on: the release. Raises Forbidden with the reason why nothing is made from it."""
    standing: TemplateStanding = standing_of(found.source, on, withdrawn=found.withdrawn is not None)
    if standing.template is None or standing.status != "ok":
        reason = found.withdrawn if standing.status == "withdrawn" else standing.problems[0].message
        message = f"the template {found.reference.template_id} is {standing.status}: {reason}"
        raise Forbidden(message, code=f"template_{standing.status}", problems=standing.problems)
    return standing.template


def fill_in(found: FoundTemplate, on: str, given: Mapping[str, Any], name: str, agents: Mapping[str, str]) -> FilledIn:
    """Return the template with answers, and agents replaced. on: the release.

    Raises Forbidden, or Malformed with every problem.
    """
    template = usable(found, on)
    answers = check_answers(template.parameters, given)
    if answers.problems:
        raise Malformed(answers.problems[0].message, list(answers.problems))
    rendered = render(template, answers.values, name)
    return FilledIn(template, replace_agents(rendered.yaml, agents), answers.values)
