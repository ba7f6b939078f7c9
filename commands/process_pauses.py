"""Pause and resume processes: nothing starts in between, and what runs continues."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from commands.command import Command, CommandScope, Note, ProcessId
from commands.deciding import Identified, decide, unidentified
from commands.receipt import Receipt
from domain.event import Cause, Event
from domain.processes.decisions import pause_process, resume_process
from domain.processes.process import PauseMode, Process, fold
from domain.refusal import ProcessNotFound
from store.log import Log


class PauseProcess(Command, frozen=True):
    """Let nothing start until the process is resumed. reason: why, for people.

    mode: what becomes of a start meanwhile: it waits in order (queue), or is refused (refuse).
    """

    scope = CommandScope.EXECUTIONS_WRITE
    process_id: ProcessId
    reason: Note = ""
    mode: Annotated[str, Meta(pattern="^(queue|refuse)$")] = "queue"


class ResumeProcess(Command, frozen=True):
    """Let executions start again. reason: why, for people."""

    scope = CommandScope.EXECUTIONS_WRITE
    process_id: ProcessId
    reason: Note = ""


class ProcessPauses:
    """The handlers of the commands above."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def pause(self, command: PauseProcess, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Let nothing start; what runs continues. Raises NotFound, Malformed (reason) or Forbidden (archived)."""
        mode: PauseMode = "refuse" if command.mode == "refuse" else "queue"
        return self._decide(
            command.process_id,
            lambda process: pause_process(process, mode, command.reason, cause),
            identified,
        )

    def resume(self, command: ResumeProcess, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Let executions start again; those that wait begin in order. Raises NotFound or Malformed (reason)."""
        return self._decide(
            command.process_id, lambda process: resume_process(process, command.reason, cause), identified
        )

    def _decide(self, id: UUID, decision: Callable[[Process], list[Event]], identified: Identified) -> Receipt:
        def present(process: Process | None) -> list[Event]:
            if process is None:
                raise ProcessNotFound(f"there is no process {id}")
            return decision(process)

        return decide(
            self._log, id, fold, present, facts=lambda _process, _new: {"process_id": str(id)}, identified=identified
        )
