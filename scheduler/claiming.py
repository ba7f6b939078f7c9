"""The duty of claiming due steps: recording that their attempts start, and calling their agents."""

from datetime import datetime
from uuid import UUID

from domain.executions.decisions.step import start_step
from scheduler.batch import Batch, Decision
from scheduler.duty import DecidingDuty
from scheduler.lists import Attempt
from store.unit import Outage

MAX_CLAIM = 200


class Claiming(DecidingDuty[Attempt]):
    """Claims due attempts that no worker has, as many as it may take, and begins every attempt recorded as started."""

    word = "due"

    @property
    def ready(self) -> bool:
        """Whether attempts may be due, and the worker may take some."""
        return self._awake and self.desk.capacity() > 0

    def work(self) -> None:
        """Claim due attempts and record that they start; strike off attempts that are not due by the log."""
        limit = min(MAX_CLAIM, self.desk.capacity())
        if limit == 0:
            return
        self._awake = False
        claimed = self.desk.lists.claim_steps(self.desk.worker_id, limit)
        self._awake |= len(claimed) == limit
        if claimed:
            batch, idle, rest = self.decide(claimed)
            again = self.desk.appending.now(batch)
            self.decide_afresh([due for due in claimed if due[0] in again] + idle + [*rest])

    def recorded(self, batch: Batch) -> None:
        """Begin the attempts that the batch took."""
        for execution, step in batch.taken:
            try:
                self.desk.calling.begin(execution, step)
            except Outage:
                raise
            except Exception as error:  # noqa: BLE001 - logged when the execution is set aside
                self.desk.calling.abandon(execution.id, step)
                self.desk.aside.add(execution.id, error)

    def execution_of(self, item: Attempt) -> UUID:
        """Return the execution whose attempt is due."""
        return item[0]

    def decision(self, item: Attempt, at: datetime, take: int) -> Decision:
        """Return the decision to start the attempt."""
        _, step, attempt = item
        cause = self.desk.cause(f"start:{step}:{attempt}", at)
        return lambda execution: start_step(execution, step, attempt, cause)

    def needless(self, items: list[Attempt], batch: Batch) -> None:
        """Drop attempts that are not due by the log; leave executions that this worker cannot read to other workers."""
        alone = self.desk.states.left_alone
        desk, steps = self.desk, [(id, step) for id, step, _ in items]
        desk.lists.postpone_steps(desk.worker_id, [step for step in steps if step[0] in alone])
        desk.lists.drop_steps(desk.worker_id, [step for step in steps if step[0] not in alone])
