"""Executions that wait for their turn are let in, those that waited longest first, as many as there is room for."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from commands.plans import Plans
from commands.states import ExecutionStates
from domain.event import Cause
from domain.executions.decisions.execution import admit_execution
from domain.executions.engine.unfolding import Unfolding
from domain.executions.state.model import Execution
from scheduler.appending import Appending
from scheduler.batch import Batch
from store.datastore import OwnConnection
from store.lists import slots
from store.lists.slots import Queue
from store.unit import Outage

logger = logging.getLogger(__name__)

MOST = 200
FRESH_FOR_SECONDS = 1.0


class Admitting:
    """Admits for one worker, on the worker's thread.

    Several workers may do so at once: each admits the first that wait, and who was admitted meanwhile is a conflict.
    """

    def __init__(
        self,
        worker_id: UUID,
        states: ExecutionStates,
        plans: Plans,
        appending: Appending,
        connection: OwnConnection,
        room: Callable[[], int],
    ) -> None:
        self._worker_id = worker_id
        self._actor = f"worker:{worker_id}"
        self._states = states
        self._plans = plans
        self._appending = appending
        self._connection = connection
        self._room = room
        self._limits: dict[UUID, tuple[float, int | None]] = {}

    def admit(self) -> bool:
        """Let in whom there is room for; no batch may be on its way. True when there may be more."""
        with self._connection.borrow() as connection:
            queues = slots.queues(connection, MOST)
        admitted = [id for queue in queues for id in queue.waiting[: self._room_for(queue)]]
        if not admitted:
            return False
        kept = {id for id in admitted if self._states.kept(id) is not None}
        batch = Batch(self._states.load(admitted), self._worker_id)
        refused = [id for id in admitted if not batch.decide(id, self._admitting(batch))]
        for id in refused:
            self._states.forget(id)
        again = self._appending.now(batch)
        # One that was refused on a state just read was let in meanwhile, or cannot be read: it is no reason to hurry.
        return bool(again or kept.intersection(refused)) or len(batch.executions()) >= MOST

    def _admitting(self, batch: Batch) -> Callable[[Execution], Unfolding]:
        cause = Cause(datetime.now(UTC), self._actor, causation="room")
        take = self._room() - batch.taking - self._appending.taking
        return lambda execution: admit_execution(execution, cause, take)

    def _room_for(self, queue: Queue) -> int:
        """How many of a queue may begin; none when this worker cannot read the process, which another may."""
        try:
            limit = self._limit(queue.process_id)
        except Outage:
            raise
        except Exception as error:  # noqa: BLE001 - logged there
            self._states.left_alone.add(queue.process_id, "process", error)
            return 0
        return len(queue.waiting) if limit is None else max(0, limit - queue.running)

    def _limit(self, process_id: UUID) -> int | None:
        """What the latest version of the process says, as of a second ago at most."""
        read_at, limit = self._limits.get(process_id, (0.0, None))
        if not read_at or time.monotonic() - read_at > FRESH_FOR_SECONDS:
            latest = self._plans.latest(process_id, fresh=True).process.latest
            limit = self._plans.get(process_id, latest).max_running
            self._limits[process_id] = time.monotonic(), limit
        return limit
