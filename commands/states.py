"""States of executions kept in memory by whoever works on them; the version check at the append catches staleness."""

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from commands.left_alone import LeftAlone
from commands.plans import Plans
from domain.event import Event
from domain.executions.events.execution import ExecutionStarted
from domain.executions.state.evolution import evolve
from domain.executions.state.model import Execution
from store.datastore import OwnConnection
from store.log import Log
from store.unit import Outage


class ExecutionStates:
    """The most recently used executions. Not shared between threads; nor is `reading`, on which they are read.

    left_alone: the executions that could not be read.
    """

    def __init__(self, log: Log, plans: Plans, *, size: int = 20_000, reading: OwnConnection | None = None) -> None:
        self._log = log
        self._plans = plans
        self._size = size
        self._reading = reading
        self._kept: OrderedDict[UUID, Execution] = OrderedDict()
        self.left_alone = LeftAlone()

    def get(self, execution_id: UUID) -> Execution | None:
        """The state as known here, read from the log if it is not; None when there is no such execution."""
        kept = self._kept.get(execution_id)
        return kept if kept is not None else self.load([execution_id]).get(execution_id)

    def kept(self, execution_id: UUID) -> Execution | None:
        """The state as known here; None when it would have to be read."""
        return self._kept.get(execution_id)

    def load(self, execution_ids: Iterable[UUID], *, fresh: bool = False) -> dict[UUID, Execution]:
        """States of many executions, those not kept (or all, when `fresh`) read from the log in one query."""
        wanted = list(dict.fromkeys(execution_ids))
        found = {} if fresh else {id: self._kept[id] for id in wanted if id in self._kept}
        missing = [id for id in wanted if id not in found]
        if missing:
            try:
                read = self._read(missing)
            except Outage:
                raise
            except Exception:  # noqa: BLE001 - logged with its execution below
                read = self._read_one_by_one(missing)
            for execution in read:
                found[execution.id] = execution
                self.keep(execution)
                self.left_alone.discard(execution.id)
        return found

    def _read(self, ids: list[UUID]) -> list[Execution]:
        streams = self._log.streams(ids, self._reading)
        states = (rehydrate(id, events, self._plans) for id, events in streams.items())
        return [execution for execution in states if execution is not None]

    def _read_one_by_one(self, ids: list[UUID]) -> list[Execution]:
        """An execution that cannot be read (a newer release wrote it, say) must not keep the others from working."""
        found: list[Execution] = []
        for id in ids:
            try:
                found += self._read([id])
            except Outage:
                raise
            except Exception as error:  # noqa: BLE001 - logged there
                self.left_alone.add(id, "execution", error)
        return found

    def keep(self, execution: Execution) -> None:
        """Remember the state after a successful append; executions that ended are let go."""
        if execution.ended_at is not None:
            self._kept.pop(execution.id, None)
            return
        self._kept[execution.id] = execution
        self._kept.move_to_end(execution.id)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def forget(self, execution_id: UUID) -> None:
        """Let go of a state that may be stale."""
        self._kept.pop(execution_id, None)


def rehydrate(id: UUID, events: list[Event], plans: Plans) -> Execution | None:
    """The state after `events`; None when they are not those of an execution."""
    if not events or not isinstance(events[0], ExecutionStarted):
        return None
    started = events[0]
    plan = plans.get(started.process_id, started.version)
    callees = plans.pinned(plan, started.pinned) if started.pinned else {}
    execution = Execution(id, plan, steps={}, waiting={}, callees=callees)
    for event in events:
        evolve(execution, event)
    return execution
