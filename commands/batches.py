"""Batches: freeze a list of executions for an act, run it, stop it."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from commands.command import Beside, Command, CommandScope, NameOfAgent, Reason
from commands.deciding import Identified, decide, unidentified
from commands.receipt import Receipt
from commands.repairs import Repairs
from domain.batches.batch import FrozenBatch, fold
from domain.batches.decisions import NewBatch, freeze_batch, run_batch, stop_batch
from domain.batches.events import BatchFrozen
from domain.event import Cause, Event
from domain.identity import new_id
from domain.refusal import NotFound
from store.log import Log

BatchId = Annotated[UUID, Beside("batch")]
ActWord = Annotated[str, Meta(max_length=200)]


class FreezeBatch(Command, frozen=True):
    """Freeze the list of executions that a filter finds, for one act on each of them; nothing is done to them yet.

    act: cancel, retry, skip or reassign. filter: words of the list of executions, each with a value or several. step:
    its id; retry takes one, skip and reassign need one. agent: the name of the one that gets the step. dry_run: true;
    the act itself takes the batch_id of the answer.
    """

    scope = CommandScope.EXECUTIONS_WRITE
    act: ActWord
    filter: dict[str, Any]
    step: ActWord = ""
    agent: NameOfAgent | None = None
    dry_run: bool = True
    executions: Annotated[tuple[UUID, ...], Beside()] = ()
    processes: Annotated[tuple[str, ...], Beside()] = ()
    as_of_position: Annotated[int, Beside()] = 0


class RunBatch(Command, frozen=True):
    """Act on the list of a batch. reason: why, for people; each act is recorded with it."""

    scope = CommandScope.EXECUTIONS_WRITE
    batch_id: BatchId
    reason: Reason


class StopBatch(Command, frozen=True):
    """Leave the rest of the list alone. reason: why, for people."""

    scope = CommandScope.EXECUTIONS_WRITE
    batch_id: BatchId
    reason: Reason


class BatchCommands:
    """The handlers of the commands above; workers act on the executions (`scheduler/batches.py`)."""

    def __init__(self, log: Log, repairs: Repairs) -> None:
        self._log = log
        self._repairs = repairs

    def freeze(self, command: FreezeBatch, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Freeze the list; facts hold `batch_id` and `count`.

        Raises Malformed with the problems of the act, AgentUnknown, or NothingMatches.
        """
        id = new_id()
        new = NewBatch(
            command.act,
            command.filter,
            command.executions,
            command.processes,
            command.as_of_position,
            command.step,
            command.agent or "",
        )
        frozen = freeze_batch(new, cause)
        self._require_active(new.agent)
        facts = {"batch_id": str(id), "count": len(new.executions)}
        # A stream that is not new holds this list already: its append lost the connection.
        return decide(
            self._log,
            id,
            lambda events: fold(None, events),
            lambda batch: frozen if batch is None else [],
            facts=lambda _before, _events: facts,
            identified=identified,
        )

    def run(self, command: RunBatch, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Let workers act on the list; facts hold `batch_id` and `count`.

        Raises NotFound, BatchExpired, BatchStoppedAlready, or AgentUnknown.
        """

        def decision(batch: FrozenBatch) -> list[Event]:
            started = run_batch(batch, command.reason, cause)
            if started:
                self._require_active(batch.agent)
            return started

        return self._decide(command.batch_id, decision, identified)

    def stop(self, command: StopBatch, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Leave the rest of the list alone; facts hold `batch_id` and `count`. Raises NotFound or BatchEndedAlready."""
        return self._decide(command.batch_id, lambda batch: stop_batch(batch, command.reason, cause), identified)

    def _require_active(self, agent: str) -> None:
        if agent:
            self._repairs.require_active(agent)

    def _decide(self, id: UUID, decision: Callable[[FrozenBatch], list[Event]], identified: Identified) -> Receipt:
        return decide(
            self._log,
            id,
            lambda events: _batch(id, events),
            decision,
            facts=lambda batch, _events: {"batch_id": str(id), "count": batch.count},
            identified=identified,
        )


def _batch(id: UUID, events: Sequence[Event]) -> FrozenBatch:
    # The id may be that of another noun.
    batch = fold(None, events) if events and isinstance(events[0], BatchFrozen) else None
    if batch is None:
        raise NotFound(f"there is no batch {id}")
    return batch
