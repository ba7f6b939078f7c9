"""Acts on many in a simulation: the list of running batches in memory, the operators of batches, and their laws."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from domain.batches.acts import ACTS
from domain.batches.batch import ENDED, EXPIRED, FROZEN, RUNNING, STOPPED, FrozenBatch, evolve, fold
from domain.batches.decisions import LASTS, NewBatch, freeze_batch, run_batch, stop_batch
from domain.batches.events import BatchAdvanced, BatchEnded, BatchFrozen, BatchStarted, BatchStopped
from domain.clock import Clock
from domain.event import Event
from store.lists.running_batches import CLAIMED_FOR, ClaimedBatch
from store.unit import StreamChange

if TYPE_CHECKING:
    from simulated_world import World

OPERATOR = "user:many"


class MemoryBatches:
    """The part of the lists that gives workers their batches.

    running_batches: until when each is claimed, the one first that has waited longest.
    """

    def __init__(self, clock: Clock) -> None:
        self._batch_clock = clock
        self.running_batches: dict[UUID, datetime | None] = {}
        self.versions: Counter[UUID] = Counter()

    def move_batches(self, change: StreamChange) -> list[str]:
        """Move the list as an append does; return the words that wake duties."""
        words = []
        for event in change.events:
            if isinstance(event, BatchStarted):
                self.running_batches.setdefault(change.stream, None)
                words = ["batch"]
            elif isinstance(event, BatchEnded | BatchStopped):
                self.running_batches.pop(change.stream, None)
        return words

    def claim_batch(self) -> ClaimedBatch | None:
        now = self._batch_clock.now()
        for id, claimed_until in self.running_batches.items():
            if claimed_until is None or claimed_until < now:
                del self.running_batches[id]
                self.running_batches[id] = now + CLAIMED_FOR
                return ClaimedBatch(id, self.versions[id])
        return None

    def release_batch(self, batch: UUID) -> None:
        if batch in self.running_batches:
            self.running_batches[batch] = None

    def postpone_batch(self, batch: UUID, wait: timedelta) -> None:
        if batch in self.running_batches:
            self.running_batches[batch] = self._batch_clock.now() + wait


class Batches:
    """The operators of batches, and what holds of each batch at every append.

    all: by id, as the log has them. acted: by batch, the executions that it has acted on.
    """

    def __init__(self, world: "World", number: int) -> None:
        self._world = world
        self.all: dict[UUID, FrozenBatch] = {}
        self.acted: dict[UUID, list[UUID]] = {}
        self._acting: dict[UUID, list[UUID]] = {}
        for _ in range(number):
            world.later(world.random.uniform(5, 100), self._freeze)

    def check(self, change: StreamChange) -> None:
        """Check a recorded change: an act on an execution by a batch, or an event of a batch."""
        for batch_id in dict.fromkeys(_batch_of(event) for event in change.events):
            if batch_id is not None and change.stream != batch_id:
                assert all(_batch_of(event) == batch_id for event in change.events), "an act is one decision"
                assert {event.actor for event in change.events} == {OPERATOR}, "the caller who runs the batch acts"
                self._acting.setdefault(batch_id, []).append(change.stream)
        for event in change.events:
            if isinstance(event, BatchFrozen):
                self.acted[change.stream] = []
            if change.stream in self.acted:
                self._evolve(change.stream, event)

    def _evolve(self, id: UUID, event: Event) -> None:
        before = self.all.get(id)
        if isinstance(event, BatchAdvanced):
            assert before is not None
            acting = self._acting.pop(id, [])
            refused = [each.execution_id for each in event.refused]
            after = before.passed + event.done + event.unchanged + len(refused)
            passed = before.executions[before.passed : after]
            assert before.status == RUNNING, "nobody acts on a batch before its start, or after its end"
            assert len(acting) == event.done, "the append that acts notes how far the batch is"
            assert len({*acting, *refused}) == len(acting) + len(refused), "each execution has one outcome"
            assert {*acting, *refused} <= {*passed}, "a batch acts on those of its list that come next"
            self.acted[id] += acting
            if self._world.random.random() < 0.2:
                self._world.later(0, lambda: self._stop(id))
        if isinstance(event, BatchEnded):
            assert before is not None
            assert (before.status, before.passed) == (RUNNING, before.count)
            assert (event.done, event.unchanged, event.refused) == (before.done, before.unchanged, before.refused)
        assert before is None or before.status not in (ENDED, STOPPED), "nothing happens to a batch that is over"
        self.all[id] = evolve(before, event)

    def assert_over(self) -> None:
        """Assert that every batch that was run has ended or was stopped, and acted on each execution at most once."""
        assert self._acting == {}, "no act is recorded without the progress of its batch"
        for id, batch in self.all.items():
            acted = self.acted[id]
            assert batch.status in (FROZEN, ENDED, STOPPED), "a batch that runs ends"
            assert len(set(acted)) == len(acted) == batch.done, "an execution is acted on once"
            assert set(acted) <= set(batch.executions)
            assert batch.passed == (batch.count if batch.status == ENDED else min(batch.passed, batch.count))
            assert batch.status != FROZEN or batch.passed == 0
            for execution_id in acted:
                events = self._world.store.stream(execution_id)
                numbers = [n for n, event in enumerate(events) if _batch_of(event) == id]
                assert numbers == list(range(numbers[0], numbers[-1] + 1)), "the events of an act are one append"

    def _freeze(self) -> None:
        """Freeze a list of executions that run or have ended, and run it later, or never."""
        world = self._world
        random = world.random
        # Those that run first: a list of more executions than one turn takes has acts in each of its turns.
        found = [*world.running, *(id for id in world.ids if id not in world.running)]
        if not found:
            return
        first = found[: random.randint(1, random.choice((len(world.running) + 1, len(found))))]
        executions = random.sample(first, len(first))
        act = random.choice(list(ACTS))
        one = world.execution(random.choice(executions))
        step = (
            random.choice(list(one.steps or one.plan.steps))
            if ACTS[act].needs_step or (act == "retry" and random.random() < 0.5)
            else ""
        )
        agent = "other" if ACTS[act].takes_agent else ""
        new = NewBatch(act, {"q": "many"}, executions, ["p"], world.store.appends, step, agent)
        id = UUID(int=random.getrandbits(128))
        world.record(id, lambda events: [] if events else freeze_batch(new, world.cause(OPERATOR)))
        for _ in range(random.choice((0, 1, 1, 1, 2))):
            wait = LASTS.total_seconds() * 1.1 if random.random() < 0.1 else random.uniform(0, 10)
            world.later(wait, lambda: self._decide(id, lambda batch: run_batch(batch, "many", world.cause(OPERATOR))))
        if random.random() < 0.1:
            world.later(random.uniform(0, 60), lambda: self._stop(id))

    def _stop(self, id: UUID) -> None:
        self._decide(id, lambda batch: stop_batch(batch, "no", self._world.cause(OPERATOR)))

    def _decide(self, id: UUID, decision: Callable[[FrozenBatch], list[Event]]) -> None:
        """Carry a command out on a batch."""

        def decided(events: list[Event]) -> list[Event]:
            batch = fold(None, events)
            assert batch is not None
            return decision(batch)

        self._world.record(id, decided)

    @property
    def statuses(self) -> set[str]:
        """Of all batches; one that was not run within its time has expired."""
        now = self._world.now
        expired = {batch.status == FROZEN and batch.expires_at < now for batch in self.all.values()}
        return {batch.status for batch in self.all.values()} | ({EXPIRED} if True in expired else set())


def _batch_of(event: Event) -> UUID | None:
    """Return the batch that caused an event."""
    causation = event.causation or ""
    return UUID(causation.removeprefix("batch:")) if causation.startswith("batch:") else None
