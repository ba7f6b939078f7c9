"""The state of a batch: its list, and how far workers have gone through it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.batches.events import (
    BatchAdvanced,
    BatchEnded,
    BatchExecutionsListed,
    BatchFrozen,
    BatchStarted,
    BatchStopped,
)
from domain.event import Event

FROZEN, RUNNING, ENDED, STOPPED, EXPIRED = "frozen", "running", "ended", "stopped", "expired"
STATUSES = (FROZEN, RUNNING, ENDED, STOPPED, EXPIRED)
"""Of these, `expired` follows from the time alone: no event states it."""


class FrozenBatch(msgspec.Struct, frozen=True):
    """A batch. The fields of its list are those of `BatchFrozen`.

    runner: the actor that started it. done, unchanged, refused: numbers of executions gone through so far.
    """

    act: str
    step: str
    agent: str
    count: int
    processes: tuple[str, ...]
    expires_at: datetime
    executions: tuple[UUID, ...] = ()
    status: str = FROZEN
    runner: str = ""
    reason: str = ""
    done: int = 0
    unchanged: int = 0
    refused: int = 0

    @property
    def passed(self) -> int:
        """The number of executions at the beginning of the list that workers have gone through."""
        return self.done + self.unchanged + self.refused

    def rest(self, most: int) -> tuple[UUID, ...]:
        """Return up to `most` of the executions that come next."""
        return self.executions[self.passed : self.passed + most]


def evolve(batch: FrozenBatch | None, event: Event) -> FrozenBatch:
    """Return the state after `event`. Raises TypeError for an event of another noun."""
    if isinstance(event, BatchFrozen):
        processes = tuple(event.processes)
        return FrozenBatch(event.act, event.step, event.agent, event.count, processes, event.expires_at)
    if batch is None:
        raise TypeError(f"{type(event).__name__} does not begin a batch")
    changed: dict[str, Any]
    match event:
        case BatchExecutionsListed():
            changed = {"executions": (*batch.executions, *event.executions)}
        case BatchStarted():
            changed = {"status": RUNNING, "runner": event.actor, "reason": event.reason}
        case BatchAdvanced():
            changed = {
                "done": batch.done + event.done,
                "unchanged": batch.unchanged + event.unchanged,
                "refused": batch.refused + len(event.refused),
            }
        case BatchEnded():
            changed = {"status": ENDED}
        case BatchStopped():
            changed = {"status": STOPPED}
        case _:
            raise TypeError(f"{type(event).__name__} does not happen to batches")
    return msgspec.structs.replace(batch, **changed)


def fold(batch: FrozenBatch | None, events: Iterable[Event]) -> FrozenBatch | None:
    """Return the state after all `events`, in order. Raises TypeError for an event of another noun."""
    for event in events:
        batch = evolve(batch, event)
    return batch
