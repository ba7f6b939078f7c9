"""The duty of firing timers: it decides on those that are due, then appends many together."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.executions.decisions.timer import fire_timer
from domain.executions.engine.unfolding import Take
from domain.executions.state.model import Execution
from scheduler.appending import Again, Work
from scheduler.batch import Batch, Decision
from scheduler.duty import DecidingDuty, Desk
from scheduler.timekeeper import Timekeeper
from store.lists.due_timers import Due

MAX_CLAIM = 2_000
# So many timers are decided before their batches are appended, because appends slow decisions down; the decisions on
# the next timers then overlap the appends.
TOGETHER = 1_000
BATCH = 250
# A worker claims timers, and reads the states of their executions, so long before they are due: then only the decision
# is left to do.
AHEAD = timedelta(seconds=1)


class Firing(DecidingDuty[Due]):
    """Fires timers that are due; an alarm wakes it for the next one."""

    word = "timer:"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._timekeeper = Timekeeper("timer", desk.alarms, self.rouse)
        self._held: list[tuple[datetime, Due]] = []

    def wake(self, detail: str = "") -> None:
        """Expect a timer that is due at `detail`, in seconds since 1970; without a detail, any may be due."""
        if detail:
            self._timekeeper.expect(datetime.fromtimestamp(float(detail), UTC))
        else:
            super().wake()

    def work(self) -> None:
        """Fire due timers that no other worker has claimed, and set the alarm for the next."""
        self._awake = False
        next_at = self._fire_due()
        if next_at is not None:
            self._timekeeper.expect(next_at)

    def release(self) -> None:
        """Let other workers fire the claimed timers."""
        if self._held:
            self.desk.lists.release_timers([due for _, due in self._held])
            self._held = []

    def execution_of(self, item: Due) -> UUID:
        """Return the execution of the timer."""
        return item[0]

    def decision(self, item: Due, at: datetime, take: Take) -> Decision:
        """Return the decision to fire the timer."""
        _, step, kind = item
        cause = self.desk.cause(f"{kind}:{step}", at)
        return lambda execution: fire_timer(execution, step, kind, cause, take)

    def needless(self, items: list[Due], batch: Batch) -> None:
        """Drop timers that the log does not hold; keep those of executions that this worker cannot read."""
        alone = self.desk.states.left_alone
        unknown = [due for due in items if due[0] not in alone and not _has(batch.loaded.get(due[0]), due)]
        if unknown:
            self.desk.lists.drop_timers(self.desk.clock.now(), unknown)

    def _fire_due(self) -> datetime | None:
        """Fire due timers; return when to go on, None if no timer waits."""
        self._fire_held()
        now = self.desk.clock.now()
        claimed = self.desk.lists.claim_timers(now, now + AHEAD, MAX_CLAIM)
        self._held += claimed
        self._fire_held()
        if len(claimed) == MAX_CLAIM:
            return self.desk.clock.now()
        self.desk.states.load(execution_id for _, (execution_id, _, _) in self._held)
        return self._next_at()

    def _next_at(self) -> datetime | None:
        next_due = self.desk.lists.next_timer()
        times = [due_at for due_at, _ in self._held]
        if next_due is not None:
            times.append(next_due - AHEAD)
        return min(times, default=None)

    def _fire_held(self) -> None:
        now = self.desk.clock.now()
        due = [timer for due_at, timer in self._held if due_at <= now]
        self._held = [held for held in self._held if held[0] > now]
        for begin in range(0, len(due), TOGETHER):
            self._fire_together(due[begin : begin + TOGETHER])

    def _fire_together(self, due: list[Due]) -> None:
        """Decide on timers, then append."""
        decided: list[Work] = []
        try:
            for begin in range(0, len(due), BATCH):
                self._fire(due[begin : begin + BATCH], decided)
        finally:
            # However many batches are on their way: a timer waits for the decision, not for the append.
            for work in decided:
                self.desk.appending.later(work)

    def _fire(self, timers: list[Due], decided: list[Work]) -> None:
        """Add to what is decided, and not on its way yet, the decisions on more timers."""
        under_way = self.desk.appending.in_flight.union(*(work.batch.streams() for work in decided))
        if not under_way.isdisjoint([due[0] for due in timers]):
            # A decision on an execution that is on its way would meet a conflict: its timers have their turn next.
            self._held += [(self.desk.clock.now(), due) for due in timers if due[0] in under_way]
            timers = [due for due in timers if due[0] not in under_way]
            if not timers:
                return
        besides = [work.batch for work in decided]
        batch, idle, rest = self.decide(timers, *besides)
        if idle:
            self.decide_afresh(idle, batch, *besides)
        if rest:
            timers = timers[: len(timers) - len(rest)]
            self._held += [(self.desk.clock.now(), due) for due in rest]
        decided.append(Work(batch, lambda again: self._after(timers, again), lambda: None))

    def _after(self, timers: list[Due], again: Again) -> None:
        if again:
            self.decide_afresh([due for due in timers if due[0] in again])


def _has(execution: Execution | None, due: Due) -> bool:
    return execution is not None and (due[1], due[2]) in execution.timers
