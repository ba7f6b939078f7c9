"""Draft, revise, validate, publish, archive and restore processes."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Annotated

from commands.agents import Agents
from commands.called import read_calls
from commands.claims import claim_webhooks, reclaim_webhooks, taken_webhooks
from commands.command import Beside, Command, CommandScope, Note, ProcessId, Revision
from commands.deciding import Guards, Identified, Together, decide, unidentified
from commands.process_changes import beside_process, change_process
from commands.receipt import Receipt, facts_about
from commands.registrations import SHORTEST_INTERVAL, schedule_problems
from commands.roles import RoleTakenAway, roles_of_change
from commands.thresholds import thresholds_of_change
from domain.agents.secret_names import NO_SECRETS, SecretNames
from domain.event import Cause, Event
from domain.identity import process_id
from domain.language import Parsed, agent_problems, channel_problems, parse_definition, secret_problems
from domain.language.editing.fixes import TextProblem, with_fixes
from domain.processes.calling import member_problems, process_problems
from domain.processes.decisions import (
    archive_process,
    draft_process,
    publish_process,
    restore_process,
    revise_process,
)
from domain.processes.process import Process, fold
from domain.refusal import Forbidden, Malformed, Problem, strictly
from store.log import Log


class DraftProcess(Command, frozen=True):
    """Begin a process. source: YAML or JSON text."""

    scope = CommandScope.PROCESSES_WRITE
    source: Annotated[str | bytes, Beside()]


class ReviseProcess(Command, frozen=True):
    """Replace the draft. source: YAML or JSON text."""

    scope = CommandScope.PROCESSES_WRITE
    process_id: ProcessId
    source: Annotated[str | bytes, Beside()]
    revision: Revision = None


class PublishProcess(Command, frozen=True):
    """Make the draft the next version. strict: warnings stop the publication too."""

    scope = CommandScope.PROCESSES_WRITE
    process_id: ProcessId
    revision: Revision = None
    strict: Annotated[bool, Beside()] = False


class ArchiveProcess(Command, frozen=True):
    """Take the process out of use. reason: why, for people."""

    scope = CommandScope.PROCESSES_WRITE
    process_id: ProcessId
    reason: Note = ""
    revision: Revision = None


class RestoreProcess(Command, frozen=True):
    """Take the process out of the archive. reason: why, for people."""

    scope = CommandScope.PROCESSES_WRITE
    process_id: ProcessId
    reason: Note = ""
    revision: Revision = None


class Processes:
    """The handlers of the commands above. channels: the channels for notifications that the operator has set up.

    secrets: the variables that triggers may refer to. shortest_interval: of the schedules that are published.
    """

    def __init__(
        self,
        log: Log,
        agents: Agents,
        channels: Collection[str] = (),
        secrets: SecretNames = NO_SECRETS,
        shortest_interval: timedelta = SHORTEST_INTERVAL,
    ) -> None:
        self._log = log
        self._agents = agents
        self._channels = channels
        self._secrets = secrets
        self._shortest_interval = shortest_interval

    def validate(self, source: str | bytes, *, strict: bool = False) -> list[Problem]:
        """Return every problem of a definition, and of the agents and processes that it names; record nothing.

        strict: warnings are errors.
        """
        return self._validated(parse_definition(source, strict=strict), strict=strict)

    def propose(self, source: str | bytes, *, strict: bool = False) -> list[TextProblem]:
        """Return the problems as `validate` does; one whose hint proposes a word carries the edit that writes it."""
        return self.propose_for(parse_definition(source, strict=strict), strict=strict)

    def propose_for(self, parsed: Parsed, *, strict: bool = False) -> list[TextProblem]:
        """Return the same for a text that was read already."""
        return with_fixes(parsed.source, self._validated(parsed, strict=strict))

    def draft(self, command: DraftProcess, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Begin a process with a draft; facts hold `process_id`, `name`, `problems` and, of these, `warnings`.

        Raises Malformed when the source cannot even be a draft, Forbidden when the name is in use.
        """
        parsed = parse_definition(command.source)
        if parsed.name is None:
            raise Malformed("this is not a process definition", list(parsed.problems))
        problems = self.problems_of_draft(parsed)
        id = process_id(parsed.name)
        return decide(
            self._log,
            id,
            fold,
            lambda process: draft_process(process, parsed, cause),
            facts=lambda _process, _new: {"process_id": str(id), "name": parsed.name, **facts_about(problems)},
            identified=identified,
            together=lambda new: beside_process(self._log, None, new, cause),
        )

    def revise(self, command: ReviseProcess, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Replace the draft; facts as for `draft`. Raises NotFound, Malformed, Forbidden or Stale."""
        parsed = parse_definition(command.source)
        problems = self.problems_of_draft(parsed)
        return change_process(
            self._log,
            command.process_id,
            command.revision,
            lambda process: revise_process(process, parsed, cause),
            lambda process, _new: {"name": process.name, **facts_about(problems)},
            identified,
            lambda process, new: beside_process(self._log, process, new, cause),
        )

    def publish(self, command: PublishProcess, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Publish the draft as the next version; facts hold `process_id`, `version` and `warnings`.

        thresholds_replaced: its `costs` took the place of cost thresholds that a command had set. roles_taken_away:
        roles that a change gave on the version before, and that the text does not state. Raises NotFound, Malformed
        with every problem, Forbidden (archived, trigger_taken) or Stale.
        """
        called: Guards = ()
        problems: list[Problem] = []
        replaced = False
        taken_away: Sequence[RoleTakenAway] = ()

        def decision(process: Process) -> list[Event]:
            nonlocal called, problems, replaced, taken_away
            parsed = parse_definition(
                process.draft_source or process.versions[process.latest].source, strict=command.strict
            )
            found, called = self._check_names(parsed, "error")
            found += schedule_problems(self._log, parsed, self._shortest_interval, "error")
            problems = [*parsed.problems, *(strictly(found) if command.strict else found)]
            new = publish_process(process, parsed, problems[len(parsed.problems) :], cause)
            if new and (taken := taken_webhooks(self._log, parsed, "error")):
                raise Forbidden(f"{taken[0].message}; {taken[0].hint}", code="trigger_taken", problems=taken)
            replaced = thresholds_of_change(self._log, process, new, cause).replaced
            taken_away = roles_of_change(self._log, process, new, cause).taken_away
            return new

        return change_process(
            self._log,
            command.process_id,
            command.revision,
            decision,
            lambda process, new: (
                {
                    "version": process.latest + len(new),
                    "warnings": facts_about(problems)["warnings"],
                }
                | ({"thresholds_replaced": True} if replaced else {})
                | ({"roles_taken_away": list(taken_away)} if taken_away else {})
            ),
            identified,
            lambda process, new: (
                claim_webhooks(self._log, new, cause)
                + Together(called)
                + beside_process(self._log, process, new, cause)
            ),
        )

    def archive(self, command: ArchiveProcess, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Archive the process: no new executions start from now on. Raises NotFound, Malformed (reason) or Stale."""
        return change_process(
            self._log,
            command.process_id,
            command.revision,
            lambda process: archive_process(process, command.reason, cause),
            lambda _process, _new: {},
            identified,
            lambda process, new: beside_process(self._log, process, new, cause),
        )

    def restore(self, command: RestoreProcess, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Take the process out of the archive; facts hold `process_id`, `version` and `warnings` about what it names.

        Raises NotFound, Malformed (reason), Forbidden (sub_process_cycle, trigger_taken) or Stale.
        """
        called: Guards = ()
        problems: list[Problem] = []

        def decision(process: Process) -> list[Event]:
            nonlocal called, problems
            called, problems = (), []
            if process.status == "archived" and process.latest:
                parsed = parse_definition(process.versions[process.latest].source)
                problems, called = self._check_names(parsed, "warning")
            return restore_process(process, problems, command.reason, cause)

        def together(process: Process, new: list[Event]) -> Together:
            claims = reclaim_webhooks(self._log, process, cause) if new else Together()
            return claims + Together(called) + beside_process(self._log, process, new, cause)

        return change_process(
            self._log,
            command.process_id,
            command.revision,
            decision,
            lambda process, _new: {"version": process.latest or None, "warnings": problems},
            identified,
            together,
        )

    def _validated(self, parsed: Parsed, *, strict: bool) -> list[Problem]:
        found = self._found(parsed, "error")
        return [*parsed.problems, *(strictly(found) if strict else found)]

    def problems_of_draft(self, parsed: Parsed) -> list[Problem]:
        """Return the problems of a draft, and of the agents and processes that it names."""
        return [*parsed.problems, *self._found(parsed, "warning")]

    def _found(self, parsed: Parsed, severity: str) -> list[Problem]:
        return [
            *self._check_names(parsed, severity)[0],
            *taken_webhooks(self._log, parsed, severity),
            *schedule_problems(self._log, parsed, self._shortest_interval, severity),
        ]

    def _check_names(self, parsed: Parsed, severity: str) -> tuple[list[Problem], Guards]:
        """Return the problems of the names in a definition, and the revisions of processes that they rest on."""
        known = self._agents.statuses({use.name for use in parsed.agents})
        calls, called = read_calls(self._log, parsed)
        problems = [
            *agent_problems(parsed, known, severity),
            *process_problems(parsed, calls, severity),
            *member_problems(parsed, calls, severity),
            *channel_problems(parsed, self._channels),
            *secret_problems(parsed, self._secrets, severity),
        ]
        return problems, called
