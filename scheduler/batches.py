"""The duty of batches: workers go through their lists, and note how far they are in the append that acts."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
import psycopg

from commands.executions import unit_of
from commands.states import Versioned
from domain.batches.acts import ACTS
from domain.batches.batch import RUNNING, FrozenBatch, fold
from domain.batches.decisions import advance_batch
from domain.batches.events import RefusedExecution
from domain.event import Cause
from domain.executions.events import outcomes
from domain.executions.state.model import Execution
from domain.refusal import Refusal
from scheduler.duty import ROUNDS, Duty
from store.bounded import refuse_growth
from store.lists.running_batches import ClaimedBatch
from store.sizes import FULL_APPEND
from store.unit import OutcomeUnknown, StoreError, StreamChange, Unit, UnitRefused

logger = logging.getLogger(__name__)

MOST = 50
"""A turn of the duty acts on so many executions; then the other duties have their turn."""
MOST_MESSAGE = 500
MOST_LOST = 3
CONTENDED = timedelta(seconds=1)
# A batch that this release cannot read waits so long, unless a worker of another release reads it.
TRY_AGAIN = timedelta(minutes=1)
UNREADABLE = ("unreadable", "no worker can read the execution; the log of the server has the reason")
BROKE = ("decision_broke", "the decision broke; the log of the server has the reason")
NOT_RECORDED = ("not_recorded", "the database refuses to record the act; the log of the server has the reason")


class BatchPortion(msgspec.Struct):
    """The acts on the next executions of a batch. unit: records them all, with how far the batch is."""

    unit: Unit
    acted_on: list[UUID]
    after: Versioned[FrozenBatch | None]


class RunningBatches(Duty):
    """Acts on the executions of batches that run, a portion a turn.

    The stream of the batch moves in the append that acts on its executions. So each is acted on once, whichever worker
    ends in the middle.
    """

    word = "batch"

    def work(self) -> None:
        """Go on with the batch that has waited longest, and stay awake while there may be one."""
        self._awake = False
        claimed = self.desk.lists.claim_batch()
        if claimed is None:
            return
        self._awake = True
        wait = self._go_on(claimed)
        if wait is None:
            self.desk.lists.release_batch(claimed.batch_id)
        else:
            self.desk.lists.postpone_batch(claimed.batch_id, wait)

    def _go_on(self, claimed: ClaimedBatch) -> timedelta | None:
        """Act on a portion; return how long the batch waits if no append succeeds. Raises Outage."""
        id, most, lost = claimed.batch_id, MOST, 0
        unrecordable: set[UUID] = set()
        for tried in range(ROUNDS):
            batch = self._load(claimed, fresh=tried > 0)
            if batch is None:
                return TRY_AGAIN
            if batch.state is None or batch.state.status != RUNNING:
                return None
            epoch = self.desk.batches.epoch
            portion = self._decide(id, batch.version, batch.state, most, unrecordable)
            portion.unit.epoch = epoch
            (outcome,) = self.desk.appending.units([portion.unit])
            if not isinstance(outcome, StoreError):
                self.desk.batches.keep_grown(id, portion.after, portion.unit.size)
                self.desk.aside.recorded(portion.acted_on)
                return None
            if isinstance(outcome, OutcomeUnknown):
                lost += 1
                if lost >= MOST_LOST:
                    raise psycopg.OperationalError(f"appends lose their connection again and again: {outcome}")
            if isinstance(outcome, UnitRefused) and most == 1:
                logger.error("batch %s: the act on %s is not recorded: %s", id, portion.acted_on, outcome)
                unrecordable.update(portion.acted_on)
            # One execution that others change all the time holds up itself alone.
            most = max(1, most // 2)
        logger.error("batch %s waits: each of %d decisions met a conflict", id, ROUNDS)
        return CONTENDED

    def _load(self, claimed: ClaimedBatch, *, fresh: bool) -> Versioned[FrozenBatch | None] | None:
        """Return the state of the batch, from memory unless the log has moved on; None: this release cannot read it."""
        id, states = claimed.batch_id, self.desk.batches
        kept = states.kept(id)
        stale = fresh or kept is None or kept.version != claimed.version
        found = states.load([id], fresh=stale).get(id)
        if found is None and id in states.unreadable:
            logger.error("batch %s cannot be read", id, exc_info=states.unreadable[id])
        return found

    def _decide(self, id: UUID, version: int, batch: FrozenBatch, most: int, unrecordable: set[UUID]) -> BatchPortion:
        """Decide on up to `most` executions, as far as one append takes them. unrecordable: counted as refused."""
        now = self.desk.clock.now()
        cause = Cause(now, batch.runner, f"batch:{id}")
        executions = batch.rest(most)
        loaded, sizes = self._executions(executions)
        changes: list[StreamChange] = []
        refused: list[RefusedExecution] = []
        passed = size = 0
        for execution_id in executions:
            if size >= FULL_APPEND:
                break
            passed += 1
            execution = loaded.get(execution_id)
            if execution is None or execution_id in unrecordable:
                refused.append(RefusedExecution(execution_id, *(UNREADABLE if execution is None else NOT_RECORDED)))
                continue
            decided = self._act(execution, sizes[execution_id], batch, cause)
            if isinstance(decided, RefusedExecution):
                refused.append(decided)
            elif decided is not None:
                changes.append(decided)
                size += decided.size
        unchanged = passed - len(changes) - len(refused)
        events = advance_batch(batch, len(changes), unchanged, refused, self.desk.cause(f"batch:{id}", now))
        after = Versioned(version + len(events), fold(batch, events))
        return BatchPortion(
            Unit(id, version, events, before=tuple(changes)), [change.stream for change in changes], after
        )

    def _executions(self, ids: Sequence[UUID]) -> tuple[dict[UUID, Execution], dict[UUID, int]]:
        """Return the states in the log, and the bytes of their events. None is kept: decisions change them."""
        states = self.desk.states
        loaded = states.load(ids, fresh=True)
        for id, error in states.unreadable.items():
            logger.error("execution %s cannot be read", id, exc_info=error)
        sizes = {id: states.size(id) for id in ids}
        for id in ids:
            states.forget(id)
        return loaded, sizes

    def _act(self, execution: Execution, size: int, batch: FrozenBatch, cause: Cause) -> Unit | RefusedExecution | None:
        """Return what the act changes, None if it was done before, or why it is refused."""
        id = execution.id
        try:
            unfolding = ACTS[batch.act].on(execution, batch, cause)
            if not unfolding.events:
                return None
            unit = unit_of(execution, unfolding)
            added = unit.encode()
            if unfolding.execution.status == outcomes.RUNNING:  # an end is always recorded
                refuse_growth(size, added, execution.plan.limits.max_execution)
        except Refusal as refusal:
            return RefusedExecution(id, refusal.code, refusal.message[:MOST_MESSAGE])
        except Exception:
            logger.exception("the decision of batch %s about execution %s broke", cause.causation, id)
            return RefusedExecution(id, *BROKE)
        return unit
