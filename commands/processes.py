"""Draft, revise, validate, publish and archive processes."""

from collections.abc import Callable, Collection
from typing import Annotated
from uuid import UUID

from commands.agents import Agents
from commands.called import read_calls
from commands.claims import claim_webhooks
from commands.command import Beside, Command, CommandScope, Note, ProcessId, Revision
from commands.deciding import Guards, Identified, Together, decide, unidentified
from commands.receipt import Receipt
from domain.event import Cause, Event
from domain.identity import process_id
from domain.language import Parsed, agent_problems, channel_problems, parse_definition
from domain.processes.calling import process_problems
from domain.processes.decisions import archive_process, draft_process, publish_process, revise_process
from domain.processes.process import Process, fold
from domain.refusal import Malformed, Problem, ProcessNotFound, Stale
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
    """Make the draft the next version."""

    scope = CommandScope.PROCESSES_WRITE
    process_id: ProcessId
    revision: Revision = None


class ArchiveProcess(Command, frozen=True):
    """Take the process out of use. reason: why, for people."""

    scope = CommandScope.PROCESSES_WRITE
    process_id: ProcessId
    reason: Note = ""
    revision: Revision = None


class Processes:
    """The handlers of the commands above. channels: the channels for notifications that the operator has set up."""

    def __init__(self, log: Log, agents: Agents, channels: Collection[str] = ()) -> None:
        self._log = log
        self._agents = agents
        self._channels = channels

    def validate(self, source: str | bytes) -> list[Problem]:
        """Return every problem of a definition, and of the agents and processes that it names; record nothing."""
        parsed = parse_definition(source)
        return [*parsed.problems, *self._check_names(parsed, "error")[0]]

    def draft(self, command: DraftProcess, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Begin a process with a draft; facts hold `process_id`, `name` and `problems`.

        Raises Malformed when the source cannot even be a draft, Forbidden when the name is in use.
        """
        parsed = parse_definition(command.source)
        if parsed.name is None:
            raise Malformed("this is not a process definition", list(parsed.problems))
        problems = [*parsed.problems, *self._check_names(parsed, "warning")[0]]
        id = process_id(parsed.name)
        return decide(
            self._log,
            id,
            fold,
            lambda process: draft_process(process, parsed, cause),
            facts=lambda _process, _new: {"process_id": str(id), "name": parsed.name, "problems": problems},
            identified=identified,
        )

    def revise(self, command: ReviseProcess, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Replace the draft; facts as for `draft`. Raises NotFound, Malformed, Forbidden or Stale."""
        parsed = parse_definition(command.source)
        problems = [*parsed.problems, *self._check_names(parsed, "warning")[0]]
        return self._decide(
            command.process_id,
            command.revision,
            lambda process: revise_process(process, parsed, cause),
            lambda process, _new: {"name": process.name, "problems": problems},
            identified,
        )

    def publish(self, command: PublishProcess, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Publish the draft as the next version; facts hold `process_id` and `version`.

        Raises NotFound, Malformed with every problem, Forbidden (archived, trigger_taken) or Stale.
        """

        called: Guards = ()

        def decision(process: Process) -> list[Event]:
            nonlocal called
            parsed = parse_definition(process.draft_source or process.versions[process.latest].source)
            problems, called = self._check_names(parsed, "error")
            return publish_process(process, parsed, problems, cause)

        return self._decide(
            command.process_id,
            command.revision,
            decision,
            lambda process, new: {"version": process.latest + len(new)},
            identified,
            lambda new: claim_webhooks(self._log, new, cause) + Together(called),
        )

    def archive(self, command: ArchiveProcess, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Archive the process: no new executions start from now on. Raises NotFound, Malformed (reason) or Stale."""
        return self._decide(
            command.process_id,
            command.revision,
            lambda process: archive_process(process, command.reason, cause),
            lambda _process, _new: {},
            identified,
        )

    def _decide(
        self,
        id: UUID,
        revision: int | None,
        decision: Callable[[Process], list[Event]],
        facts: Callable[[Process, list[Event]], dict[str, object]],
        identified: Identified,
        together: Callable[[list[Event]], Together] = lambda _new: Together(),
    ) -> Receipt:
        def present(process: Process | None) -> Process:
            if process is None:
                raise ProcessNotFound(f"there is no process {id}")
            if revision is not None and revision != process.revision:
                raise Stale(f"the process is at revision {process.revision}, not {revision}", version=process.revision)
            return process

        return decide(
            self._log,
            id,
            fold,
            lambda process: decision(present(process)),
            facts=lambda process, new: {"process_id": str(id), **facts(present(process), new)},
            identified=identified,
            together=together,
        )

    def _check_names(self, parsed: Parsed, severity: str) -> tuple[list[Problem], Guards]:
        """Return the problems of the names in a definition, and the revisions of processes that they rest on."""
        known = self._agents.statuses({use.name for use in parsed.agents})
        calls, called = read_calls(self._log, parsed)
        problems = [
            *agent_problems(parsed, known, severity),
            *process_problems(parsed, calls, severity),
            *channel_problems(parsed, self._channels),
        ]
        return problems, called
