"""The real worker's recording of answers, firing and reactor, on a virtual clock and the simulated lists."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from scheduler.reactor import TELL_FOR, Reactor

from commands.executions import answer_step
from domain.agents.calls import AgentCall, Answer
from domain.event import Cause
from domain.executions.decisions.timer import fire_timer
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.child import SubProcessStarted
from domain.executions.state.model import Execution
from scheduler.batch import Batch, Guards
from scheduler.firing import Firing
from scheduler.recording import Recording
from store.due_timers import Due
from store.outbox import Message
from store.unit import MessageKey

if TYPE_CHECKING:
    from simulated_worker import Worker

MAX_CLAIM = 20


class SimulatedRecording(Recording):
    """Everything but the time is the real one's."""

    def __init__(self, worker: "Worker", follow_up: Callable[[Batch], None]) -> None:
        super().__init__(worker.id, worker.states, worker.appending, worker.capacity, self._forget, follow_up)
        self._worker = worker

    def _forget(self, calls: object) -> None:
        self._worker.open.difference_update([(c.execution_id, c.step, c.attempt) for c in calls])  # type: ignore[attr-defined]

    def _answering(self, call: AgentCall, answer: Answer, batch: Batch) -> Callable[[Execution], Unfolding]:
        cause = self._worker.cause(f"answer:{call.step}:{call.attempt}")
        take = self._worker.capacity() - batch.taking - self._appending.taking
        return lambda execution: answer_step(execution, call.step, call.attempt, answer, cause, take=take)


class SimulatedFiring(Firing):
    """Everything but the time and the list is the real one's."""

    def __init__(self, worker: "Worker") -> None:
        super().__init__(worker.id, worker.states, worker.appending, None, worker.capacity)  # type: ignore[arg-type]
        self._worker = worker

    def fire_due(self) -> None:
        """Fire everything that is due, though others may be about to do so too."""
        due = self._worker.world.store.overdue(self._worker.world.now)
        if due:
            self._worker.touch()
            self._fire(due)

    def _firing(self, due: Due, batch: Batch) -> Callable[[Execution], Unfolding]:
        _, step, kind = due
        cause = self._worker.cause(f"{kind}:{step}")
        take = self._worker.capacity() - batch.taking - self._appending.taking
        return lambda execution: fire_timer(execution, step, kind, cause, take)

    def _drop(self, timers: list[Due]) -> None:
        """The list knows no timer that the log does not know: somebody else has fired it meanwhile."""
        assert not set(timers) & set(self._worker.world.store.overdue(self._worker.world.now))


class SimulatedReactor(Reactor):
    """Everything but the time and the lists is the real one's."""

    def __init__(self, worker: "Worker") -> None:
        super().__init__(
            worker.id,
            worker.states,
            worker.plans,
            worker.appending,
            None,  # type: ignore[arg-type]
            worker.capacity,
            worker.world.agents.tell,
            lambda: worker.world.later(0, worker.turn),
        )
        self._worker = worker

    def claim(self) -> bool:
        """Take in hand what nobody has."""
        self._worker.touch()
        claimed = self._worker.world.store.relations.claim(self._worker.world.now, MAX_CLAIM)
        self._worker.touch()
        self._held.extend(claimed)
        return len(claimed) == MAX_CLAIM

    def _cause(self, message: Message) -> Cause:
        return self._worker.cause(f"message:{message.source}:{message.version}")

    def _after_telling(self, message: Message, knows: bool) -> None:
        if knows or self._worker.world.now - message.event.at > TELL_FOR:
            self._told.append(message.key)
            self._woken()

    def _drop(self, keys: list[MessageKey]) -> None:
        if keys:
            self._worker.touch()
            self._worker.world.drop_messages(keys)

    def _sizes(self, messages: list[Message]) -> Counter[UUID]:
        roots = {each.event.root for each in messages if isinstance(each.event, SubProcessStarted)}
        return Counter(self._worker.world.store.relations.descendants(roots))

    def _new(self, id: UUID, asked: SubProcessStarted, *, fresh: bool) -> tuple[Execution, Guards] | None:
        found = super()._new(id, asked, fresh=fresh)
        assert found is not None, "every process can be read"
        return found
