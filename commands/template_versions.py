"""Bring a later version of its template into a process, or state that its text has it."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

import msgspec

from commands.command import Beside, Command, CommandScope, ProcessId, Revision, VersionNumber
from commands.deciding import Identified, unidentified
from commands.process_changes import beside_process, change_process
from commands.processes import Processes
from commands.receipt import Receipt, facts_about
from commands.template_uses import FoundTemplate, TemplateUses, usable
from domain.event import Cause, Event
from domain.language import Parsed, parse_definition
from domain.processes.decisions import current_source, revise_process
from domain.processes.lineage import Lineage
from domain.processes.process import Process
from domain.refusal import Forbidden, Malformed, Problem
from domain.templates.access import TemplateCaller
from domain.templates.decisions import TemplateNotFound
from domain.templates.references import read_reference
from domain.templates.refilling import FilledVersion, NotFromTemplate, fill_again, lineage_after, merge_versions
from domain.templates.standing import standing_of
from gateway.catalogue import release
from store.log import Log


class TakeTemplateVersion(Command, frozen=True):
    """Bring the changes of a later version of its template into the draft. version: default: the latest."""

    scope = CommandScope.PROCESSES_WRITE
    process_id: ProcessId
    caller: Annotated[TemplateCaller, Beside()]
    version: VersionNumber | None = None
    revision: Revision = None


class ReviseFromTemplate(Command, frozen=True):
    """Replace the draft by a text that has a later version of its template. template_version: which one."""

    scope = CommandScope.PROCESSES_WRITE
    process_id: ProcessId
    source: Annotated[str | bytes, Beside()]
    caller: Annotated[TemplateCaller, Beside()]
    template_version: Annotated[VersionNumber, Beside()]
    revision: Revision = None


class _Taken(msgspec.Struct, frozen=True):
    """A text with the version that it has, its lineage and its problems."""

    parsed: Parsed
    lineage: Lineage
    problems: list[Problem]


class TemplateVersions:
    """The handlers of the commands above."""

    def __init__(self, log: Log, processes: Processes, uses: TemplateUses) -> None:
        self._log = log
        self._processes = processes
        self._uses = uses

    def take(self, command: TakeTemplateVersion, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Revise the draft; facts hold `name`, `template_id`, `template_version`, `problems` and `warnings`.

        Raises ProcessNotFound, NotFromTemplate, TemplateNotFound, Malformed where the answers of then do not suffice,
        Stale, or Forbidden: ``template_conflicts`` (details: conflicts), ``template_unmerged``, and as `use` does.
        """
        return self._change(
            command.process_id,
            command.revision,
            lambda process: self._merged(process, command.version, command.caller),
            cause,
            identified,
        )

    def revise(self, command: ReviseFromTemplate, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Replace the draft, and state the version that the text has; facts as for `take`.

        Raises ProcessNotFound, NotFromTemplate, TemplateNotFound, Malformed, Forbidden or Stale.
        """
        parsed = parse_definition(command.source)
        problems = self._processes.problems_of_draft(parsed)

        def stated(process: Process) -> _Taken:
            lineage = _lineage_of(process)
            found = self._find(lineage, command.template_version, command.caller)
            return _Taken(parsed, lineage_after(lineage, found.version, _filled(found, lineage, process)), problems)

        return self._change(command.process_id, command.revision, stated, cause, identified)

    def _merged(self, process: Process, version: int | None, caller: TemplateCaller) -> _Taken:
        lineage, current = _lineage_of(process), current_source(process)
        found = self._find(lineage, version, caller)
        after = _filled(found, lineage, process)
        later = lineage_after(lineage, found.version, after)
        if later == lineage:
            return self._taken(current, lineage)
        usable(found, release())
        if after.problems:
            raise Malformed(after.problems[0].message, list(after.problems))
        before = _filled(self._find(lineage, lineage.template_version, caller), lineage, process)
        merged = merge_versions(before, after, current)
        if merged.conflicts:
            message = f"{len(merged.conflicts)} place(s) are changed both by the template and by hand; resolve them"
            raise Forbidden(message, code="template_conflicts", conflicts=list(merged.conflicts))
        if merged.text is None:
            message = "the changes of the template cannot be written into this text; take them over by hand"
            raise Forbidden(message, code="template_unmerged")
        return self._taken(merged.text, later)

    def _taken(self, text: str, lineage: Lineage) -> _Taken:
        parsed = parse_definition(text)
        return _Taken(parsed, lineage, self._processes.problems_of_draft(parsed))

    def _find(self, lineage: Lineage, version: int | None, caller: TemplateCaller) -> FoundTemplate:
        reference = read_reference(lineage.template_id)
        if reference is None:
            raise TemplateNotFound(f"there is no template {lineage.template_id} now")
        return self._uses.find(reference, version, caller)

    def _change(
        self, id: UUID, revision: int | None, take: Callable[[Process], _Taken], cause: Cause, identified: Identified
    ) -> Receipt:
        taken: _Taken | None = None

        def decision(process: Process) -> list[Event]:
            nonlocal taken
            taken = take(process)
            return revise_process(process, taken.parsed, cause, taken.lineage)

        def facts(process: Process, _new: list[Event]) -> dict[str, object]:
            assert taken is not None
            lineage = {"template_id": taken.lineage.template_id, "template_version": taken.lineage.template_version}
            return {"name": process.name, **lineage, **facts_about(taken.problems)}

        return change_process(
            self._log,
            id,
            revision,
            decision,
            facts,
            identified,
            lambda process, new: beside_process(self._log, process, new, cause),
        )


def _lineage_of(process: Process) -> Lineage:
    if process.lineage is None:
        raise NotFromTemplate(f"{process.name} was not made from a template")
    return process.lineage


def _filled(found: FoundTemplate, lineage: Lineage, process: Process) -> FilledVersion:
    return fill_again(standing_of(found.source, release()), lineage, process.name)
