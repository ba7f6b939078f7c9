"""Events between an execution and its children; each class is stored under its own name for ever."""

from typing import Any
from uuid import UUID

import msgspec

from domain.event import Event, stored


class Parent(msgspec.Struct, frozen=True, omit_defaults=True):
    """The origin of an execution: the attempt of a step that started it, and its position in the execution tree.

    depth: number of executions above it. path: their ids, from the root to the parent. waits: whether the parent waits
    for its end. holds: the processes with a max_running of the executions above that wait for it, whose concurrency
    slots it shares. item: the position of its item in the parent's list, from 0; key: of that item; round: its round,
    from 1; each where the step is repeated so.
    """

    execution_id: UUID
    step: str
    attempt: int
    root: UUID
    depth: int
    path: list[UUID]
    waits: bool = True
    holds: list[UUID] = []
    item: int | None = None
    key: str = ""
    round: int | None = None


class ChildStarted(Event, frozen=True, kw_only=True):
    """The fields common to every call: execution `child` is to run with `input`, which is checked and complete.

    root, depth, path, holds: as in Parent, of the child. body: the steps that run, by their path in that version; empty
    for the process itself.
    """

    step: str
    attempt: int
    child: UUID
    process_id: UUID
    process: str
    version: int
    input: dict[str, Any]
    root: UUID
    depth: int
    path: list[UUID]
    holds: list[UUID] = []
    body: str = ""

    @property
    def waits(self) -> bool:
        """Whether the step waits for its end."""
        return True


@stored("SubProcessStarted")
class SubProcessStarted(ChildStarted, frozen=True, kw_only=True):
    """A step called another process.

    wait: whether the step waits for its end. round: as in Parent, of the child. goes_on: the attempt has begun before,
    with an earlier round.
    """

    wait: bool = True
    round: int | None = None
    goes_on: bool = False

    @property
    def waits(self) -> bool:
        """Whether the step waits for its end."""
        return self.wait


@stored("ItemStarted")
class ItemStarted(ChildStarted, frozen=True, kw_only=True):
    """A step began a child for an item of its list. item: its position, from 0; key: its name for people, or empty."""

    item: int
    key: str = ""


@stored("SubProcessClosed")
class SubProcessClosed(Event, frozen=True, kw_only=True):
    """The step, or its execution, has ended and the child is to be cancelled.

    reason: as in StepCancelled, or ``step_timed_out``, ``execution_completed``.
    """

    step: str
    attempt: int
    child: UUID
    reason: str
