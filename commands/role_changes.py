"""Change the roles of agents in a process: in its draft, or on its published version."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec

from commands.agents import Agents
from commands.command import Beside, Command, CommandScope, Note, ProcessId, Revision
from commands.deciding import Identified, Together, decide, unidentified
from commands.processes import Processes
from commands.receipt import Receipt, facts_about
from commands.roles import draft_roles, roles_of_change
from domain.event import Cause, Event
from domain.identity import process_id, roles_id
from domain.language import Parsed, parse_definition
from domain.language.editing.changes import EditRefused
from domain.processes.decisions import revise_process
from domain.processes.process import Process, evolve, fold
from domain.refusal import Forbidden, Malformed, Problem, ProcessNotFound, Stale
from domain.roles.changes import RoleChanges, change_problems, changed_roles
from domain.roles.decisions import DRAFT, PUBLISHED, AgentRoles, RolesOf, change_roles
from domain.roles.effective import EffectiveRoles, RoleCell, effective_roles
from domain.roles.published import begun_draft, changes_for_draft, frozen_executors, roles_now, unregistered
from domain.roles.roles import fold as fold_roles
from domain.roles.roles import published_revision
from domain.roles.writing import write_roles
from store.log import Log
from store.unit import StreamChange


class ChangeRoles(Command, frozen=True):
    """Change roles together or not at all. of: ``draft`` or ``published``. reason: why, for people.

    On a published version monitors and informed agents change, from the next event on; its executors do not.
    """

    scope = CommandScope.PROCESSES_WRITE
    process_id: ProcessId
    of: Annotated[str, Beside()]
    changes: Annotated[RoleChanges, Beside()]
    reason: Note = ""
    revision: Revision = None


class RoleCommands:
    """The handler of the command above."""

    def __init__(self, log: Log, processes: Processes, agents: Agents) -> None:
        self._log = log
        self._processes = processes
        self._agents = agents

    def change(self, command: ChangeRoles, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Change the roles; facts hold `process_id`, `of`, `name`, `revision`, and the `problems` of the draft.

        Raises NotFound, Stale, Malformed with every problem of the change set, or Forbidden: process_archived,
        not_published, executor_frozen, edit_refused.
        """
        if command.of == DRAFT:
            return self._change_draft(command, cause, identified)
        return self._change_published(command, cause, identified)

    def _change_draft(self, command: ChangeRoles, cause: Cause, identified: Identified) -> Receipt:
        id = command.process_id
        before: Process | None = None
        problems: list[Problem] = []

        def decision(process: Process | None) -> list[Event]:
            nonlocal before, problems
            before = _in_use(process, id)
            if command.revision is not None and command.revision != before.revision:
                raise Stale(
                    f"the process is at revision {before.revision}, not {command.revision}", version=before.revision
                )
            begun = before.draft_source is None
            parsed = parse_definition(before.draft_source or self._begun(before))
            roles = _without_problems(effective_roles(parsed.root), command.changes)
            after = _written(parsed, roles, changed_roles(roles.roles, command.changes))
            problems = self._processes.problems_of_draft(after)
            # A draft that begins with the roles of now differs from the version's text: it is none for that alone.
            return [] if begun and after.source == parsed.source else revise_process(before, after, cause)

        def facts(process: Process | None, new: list[Event]) -> dict[str, object]:
            assert process is not None
            revision = process.revision + len(new)
            return {"name": process.name, "of": DRAFT, "revision": revision, **facts_about(problems)}

        return decide(
            self._log,
            id,
            fold,
            decision,
            facts=lambda process, new: {"process_id": str(id), **facts(process, new)},
            identified=identified,
            together=lambda new: roles_of_change(self._log, before, new, cause, command.reason or "drafted").together,
        )

    def _begun(self, process: Process) -> str:
        """Return the text with which a draft of a published process begins: it has the roles of now."""
        recorded = self._log.stream(roles_id(process_id(process.name)))
        now = fold_roles(recorded, PUBLISHED) if published_revision(recorded) else None
        try:
            return begun_draft(process.versions[process.latest].source, now)
        except EditRefused as refused:
            raise Forbidden(refused.message, code="edit_refused") from refused

    def _change_published(self, command: ChangeRoles, cause: Cause, identified: Identified) -> Receipt:
        id = command.process_id
        beside = Together()
        facts: dict[str, object] = {}

        def decision(recorded: Sequence[Event]) -> list[Event]:
            nonlocal beside, facts
            events = self._log.stream(id)
            process = _in_use(fold(events), id)
            beside = Together(guards=((id, len(events)),))
            if not process.latest:
                raise Forbidden(f"{process.name} is not published", code="not_published")
            revision = published_revision(recorded)
            if command.revision is not None and command.revision != revision:
                raise Stale(f"the roles are at revision {revision}, not {command.revision}", version=revision)
            now = roles_now(process.versions[process.latest].source, recorded)
            _refuse_executors(now, command.changes)
            _without_problems(now, command.changes)
            of = RolesOf(id, process.name, PUBLISHED, process.latest)
            before: AgentRoles = now.roles if revision else {}
            changed = changed_roles(now.roles, command.changes)
            new = change_roles(of, before, changed, command.reason, cause)
            facts = {"name": process.name, "of": PUBLISHED, "revision": len(recorded) + len(new) if new else revision}
            after = EffectiveRoles(now.steps, tuple(RoleCell(*at, role) for at, role in changed.items()))
            given = {each.agent for each in command.changes.assign}
            warnings = unregistered(after, {agent for _, agent in now.roles} - given, self._agents.statuses(given))
            facts["warnings"] = warnings
            if not new or process.draft_source is None:
                return new
            drafted, problems = self._in_draft(process, command.changes, cause)
            facts |= facts_about([*problems, *warnings])
            if not drafted:
                return new
            beside = Together(before=(StreamChange(id, len(events), drafted),))
            return [*new, *draft_roles(recorded, evolve(process, drafted[0]), command.reason, cause)]

        receipt = decide(
            self._log,
            roles_id(id),
            list,
            decision,
            facts=lambda _before, _new: {"process_id": str(id), "problems": [], "warnings": [], **facts},
            identified=identified,
            together=lambda _new: beside,
        )
        return msgspec.structs.replace(receipt, stream=id)

    def _in_draft(self, process: Process, changes: RoleChanges, cause: Cause) -> tuple[list[Event], list[Problem]]:
        """Return the draft with the same changes, as far as it has their steps; and the problems of the draft."""
        parsed = parse_definition(process.draft_source or "")
        roles = effective_roles(parsed.root)
        try:
            after = _written(parsed, roles, changed_roles(roles.roles, changes_for_draft(roles, changes)))
        except Forbidden as refused:
            kept = Problem("draft_kept", f"the draft stays as it is: {refused.message}", severity="warning")
            return [], [kept]
        return revise_process(process, after, cause), self._processes.problems_of_draft(after)


def _in_use(process: Process | None, id: UUID) -> Process:
    if process is None:
        raise ProcessNotFound(f"there is no process {id}")
    if process.status == "archived":
        raise Forbidden(f"{process.name} is archived", code="process_archived")
    return process


def _without_problems(roles: EffectiveRoles, changes: RoleChanges) -> EffectiveRoles:
    problems = change_problems(roles, changes)
    if problems:
        raise Malformed(f"the change set has {len(problems)} problem(s)", problems)
    return roles


def _refuse_executors(now: EffectiveRoles, changes: RoleChanges) -> None:
    frozen = frozen_executors(now, changes)
    if frozen:
        message = "executors are frozen with the version; change them in the draft, and publish it"
        raise Forbidden(message, code="executor_frozen", problems=frozen)


def _written(parsed: Parsed, before: EffectiveRoles, after: AgentRoles) -> Parsed:
    """Return the text with the roles `after` in effect. Raises Forbidden edit_refused."""
    assert parsed.root is not None
    try:
        written = parse_definition(write_roles(parsed.source, parsed.root, before, after))
    except EditRefused as refused:
        raise Forbidden(refused.message, code="edit_refused") from refused
    if effective_roles(written.root).roles != after:
        raise Forbidden("the layout of the text leaves no place for these roles", code="edit_refused")
    return written
