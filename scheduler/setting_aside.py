"""Executions about which no decision succeeds: set aside by the worker with their error, so that all others go on."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from domain.clock import Clock
from scheduler.lists import Attempt, Lists
from store.unit import OutcomeUnknown, StoreError

logger = logging.getLogger(__name__)

MOST = 10_000  # the oldest are forgotten, and may be decided on once more before their time
LOSSES = 3
"""So many connections in a row are lost with the append of one unit before its execution is set aside."""

T = TypeVar("T")


class SettingAside:
    """The executions that one worker has set aside, and those whose appends lost the connection. For one thread.

    attempts: returns the open attempts of the worker, which stay its own.
    """

    def __init__(self, lists: Lists, worker_id: UUID, clock: Clock, attempts: Callable[[], set[Attempt]]) -> None:
        self._lists = lists
        self._worker_id = worker_id
        self._clock = clock
        self._attempts = attempts
        self._until: OrderedDict[UUID, datetime] = OrderedDict()
        self._losses: dict[UUID, int] = {}

    def __len__(self) -> int:
        """Return how many executions this worker has set aside."""
        return len(self._until)

    def __contains__(self, id: UUID) -> bool:
        """Return whether this worker has set the execution aside, and has met no decision about it since."""
        return id in self._until

    def add(self, id: UUID, error: Exception) -> None:
        """Set an execution aside until its next try, unless it has ended; log it. Raises Outage."""
        text = f"{type(error).__name__}: {error}"
        until = self._lists.set_aside(id, text, self._worker_id, self._open_steps((id,)))
        if until is None:
            self._until.pop(id, None)
            logger.info("execution %s has ended, and no further decision about it succeeds: %s", id, text[:2_000])
            return
        trace = None if isinstance(error, StoreError) else error
        # The text of an error may hold whatever an agent has sent.
        logger.error("execution %s is set aside until %s: %s", id, until.isoformat(), text[:2_000], exc_info=trace)
        self._note(id, until)

    def settle(self, failures: Mapping[UUID, Exception], errors: Mapping[UUID, StoreError]) -> set[UUID]:
        """Set aside the executions of a batch that failed; return them.

        failures: decisions that broke and units that the server refused. errors: the outcomes of the others that were
        not recorded.
        """
        failed = dict(failures)
        for id, error in errors.items():
            if isinstance(error, OutcomeUnknown) and error.alone:
                self._losses[id] = self._losses.get(id, 0) + 1
                if self._losses[id] >= LOSSES:
                    failed[id] = error
        for id, failure in failed.items():
            self._losses.pop(id, None)
            if id not in self._until or self._until[id] <= self._clock.now():
                self.add(id, failure)
        return set(failed)

    def recorded(self, ids: Iterable[UUID]) -> None:
        """Forget executions about which a decision was recorded: the append has taken them back."""
        if self._until or self._losses:
            for id in ids:
                self._until.pop(id, None)
                self._losses.pop(id, None)

    def resolved(self, ids: Iterable[UUID]) -> None:
        """Take back executions on which a decision was taken that states nothing."""
        if back := [id for id in ids if self._until.pop(id, None) is not None]:
            self._lists.take_back(back)

    def waiting(self, ids: Collection[UUID]) -> dict[UUID, datetime]:
        """Return the executions among `ids` that wait for their next try, and until when; postpone their rows."""
        if not self._until:
            return {}
        now = self._clock.now()
        known = [id for id in dict.fromkeys(ids) if id in self._until and self._until[id] > now]
        if not known:
            return {}
        # An operator, or a decision elsewhere, may have taken them back.
        waiting = self._lists.still_aside(known, self._worker_id, self._open_steps(known))
        for id in known:
            if id in waiting:
                self._until[id] = waiting[id]
            else:
                del self._until[id]
        return waiting

    def without(self, items: Sequence[T], execution_of: Callable[[T], UUID]) -> Sequence[T]:
        """Return the items whose executions do not wait."""
        if not self._until:
            return items
        waiting = self.waiting([execution_of(item) for item in items])
        return [item for item in items if execution_of(item) not in waiting]

    def _note(self, id: UUID, until: datetime) -> None:
        self._until[id] = until
        self._until.move_to_end(id)
        if len(self._until) > MOST:
            self._until.popitem(last=False)

    def _open_steps(self, ids: Collection[UUID]) -> list[str]:
        executions = set(ids)
        return sorted({step for id, step, _ in self._attempts() if id in executions})
