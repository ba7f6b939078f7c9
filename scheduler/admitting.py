"""The duty of admitting queued executions to free slots, the longest waiting first."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice, zip_longest
from uuid import UUID

from domain.executions.decisions.execution import admit_execution
from domain.executions.engine.unfolding import Take
from scheduler.batch import Decision
from scheduler.duty import DecidingDuty, Desk
from store.lists.slots import Queue
from store.unit import Outage

MOST = 200  # of one process
MOST_AT_ONCE = 1_000


class Admitting(DecidingDuty[UUID]):
    """Admits executions of processes that limit how many run, or that are no longer paused.

    Several workers may admit at once: each admits the first in the queue; an execution that another worker admitted
    meanwhile is a conflict.
    """

    word = "room"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._limits: dict[UUID, tuple[int, int | None]] = {}
        desk.states.epochs.subscribe(self.forget_all)

    def work(self) -> None:
        """Admit executions to free slots, and stay awake when there may be more."""
        self._awake = False
        queues = self.desk.lists.queues(MOST)
        admitted = in_turns([queue.waiting[: self._free_slots(queue)] for queue in queues], MOST_AT_ONCE)
        if not admitted:
            return
        batch, refused, rest = self.decide(admitted)
        again = self.desk.appending.now(batch)
        # Decided afresh, an execution that another worker admitted meanwhile is idle.
        self.decide_afresh([id for id in admitted if id in again] + refused)
        if again or rest or len(batch.streams()) >= MOST:
            self._awake = True

    def forget_all(self) -> None:
        """Read the limits of processes again; callable from any thread."""
        self._limits = {}

    def execution_of(self, item: UUID) -> UUID:
        """Return the queued execution."""
        return item

    def decision(self, item: UUID, at: datetime, take: Take) -> Decision:
        """Return the decision to admit the execution."""
        cause = self.desk.cause("room", at)
        return lambda execution: admit_execution(execution, cause, take)

    def _free_slots(self, queue: Queue) -> int:
        """Return how many of a queue may begin; 0 when only other workers may be able to read the process."""
        try:
            limit = self._limit(queue.process_id, queue.revision)
        except Outage:
            raise
        except Exception as error:  # noqa: BLE001 - logged there
            self.desk.states.left_alone.add(queue.process_id, "process", error)
            return 0
        return len(queue.waiting) if limit is None else max(0, limit - queue.running)

    def _limit(self, process_id: UUID, revision: int) -> int | None:
        """Return the limit of the process's latest version at this revision, 0 while it is paused."""
        limits = self._limits
        cached = limits.get(process_id)
        if cached is not None and cached[0] == revision:
            return cached[1]
        plans = self.desk.plans
        process = plans.latest(process_id, fresh=True).process
        limit = 0 if process.pause is not None else plans.get(process_id, process.latest).max_running
        limits[process_id] = process.revision, limit
        return limit


def in_turns(lines: Sequence[Sequence[UUID]], most: int) -> list[UUID]:
    """Return up to `most` of those who wait in `lines`: the first of each line, then the second of each, and so on."""
    return list(islice((id for rank in zip_longest(*lines) for id in rank if id is not None), most))
