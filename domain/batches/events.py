"""Events of batches; each class is stored under its own name for ever."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.event import Event, stored


class RefusedExecution(msgspec.Struct, frozen=True):
    """An execution on which a batch could not act. code, message: of the refusal."""

    execution_id: UUID
    code: str
    message: str


@stored("BatchFrozen")
class BatchFrozen(Event, frozen=True, kw_only=True):
    """The list of a batch is fixed; nothing has been done to its executions.

    act: cancel, retry, skip or reassign. step: of each execution; empty: the whole execution. agent: the one that gets
    the step. filter: the words of the filter, as the list of executions takes them. count: of the executions.
    processes: the names of those that the executions run. as_of_position: the place in the log up to which the list is
    complete. expires_at: after it the batch no longer starts.
    """

    act: str
    filter: dict[str, Any]
    count: int
    processes: list[str]
    as_of_position: int
    expires_at: datetime
    step: str = ""
    agent: str = ""


@stored("BatchExecutionsListed")
class BatchExecutionsListed(Event, frozen=True, kw_only=True):
    """Executions of the list, the newest first; recorded with `BatchFrozen`, in parts."""

    executions: list[UUID]


@stored("BatchStarted")
class BatchStarted(Event, frozen=True, kw_only=True):
    """Workers act on the executions from now on, in the name of the actor and for this reason."""

    reason: str


@stored("BatchAdvanced")
class BatchAdvanced(Event, frozen=True, kw_only=True):
    """A worker has gone on through the list, in the append that records what it did to the executions.

    done: executions acted on. unchanged: those in which the act had been done before. refused: all others.
    """

    done: int = 0
    unchanged: int = 0
    refused: list[RefusedExecution] = []


@stored("BatchEnded")
class BatchEnded(Event, frozen=True, kw_only=True):
    """The list has been gone through."""

    done: int
    unchanged: int
    refused: int


@stored("BatchStopped")
class BatchStopped(Event, frozen=True, kw_only=True):
    """Nobody acts on the rest of the list."""

    reason: str
