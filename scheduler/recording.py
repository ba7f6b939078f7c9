"""Agents' answers become decisions: many in one append, the next batch decided while the last is on its way."""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from uuid import UUID

from commands.executions import answer_step
from commands.states import ExecutionStates
from domain.agents.calls import AgentCall, Answer
from domain.event import Cause
from domain.executions.engine.unfolding import Unfolding
from domain.executions.state.model import Execution
from scheduler.appending import Again, Appending, Work
from scheduler.batch import Batch

MAX_ANSWERS = 150

Answered = tuple[AgentCall, Answer]


class Recording:
    """Records answers for one worker, on the worker's thread.

    room: how many attempts the worker may take at once now. answered: told of calls whose answers are being decided on.
    follow_up: adds to a batch what follows for other executions.
    """

    def __init__(
        self,
        worker_id: UUID,
        states: ExecutionStates,
        appending: Appending,
        room: Callable[[], int],
        answered: Callable[[Iterable[AgentCall]], None],
        follow_up: Callable[[Batch], None],
    ) -> None:
        self._worker_id = worker_id
        self._actor = f"worker:{worker_id}"
        self._states = states
        self._appending = appending
        self._room = room
        self._answered = answered
        self._follow_up = follow_up
        self._waiting: deque[Answered] = deque()
        self._stuck = False

    def add(self, answered: Answered) -> None:
        """An answer has arrived."""
        self._waiting.append(answered)
        self._stuck = False

    def unstick(self) -> None:
        """A batch has arrived: answers that waited for it may be decided on."""
        self._stuck = False

    @property
    def idle(self) -> bool:
        """Whether every answer that arrived has been decided on."""
        return not self._waiting

    @property
    def can_go_on(self) -> bool:
        """Whether there is something that may be decided on now."""
        return bool(self._waiting) and not self._appending.full and not self._stuck

    def go_on(self, alone: Callable[[], bool]) -> None:
        """Decide on answers that wait, and append that: at once when `alone` says that nothing else is to be done."""
        answers = self._take()
        if not answers:
            self._stuck = True  # until a batch that is on its way has arrived, or another answer has
            return
        try:
            batch, idle = self._decide(answers, fresh=False)
            if idle:
                self._decide_afresh(idle)
            if not self._appending.busy and not self._waiting and alone():
                self._after(answers, self._appending.now(batch))
                return
        except BaseException:
            self._keep(answers)
            raise
        self._appending.later(Work(batch, lambda again: self._after(answers, again), lambda: self._keep(answers)))

    def _after(self, answers: list[Answered], again: Again) -> None:
        if again:
            self._decide_afresh([answered for answered in answers if answered[0].execution_id in again])

    def _decide_afresh(self, answers: list[Answered]) -> None:
        """Decide on states read again from the log; an answer that means nothing even then was not needed."""
        try:
            while answers:
                batch, _ = self._decide(answers, fresh=True)
                again = self._appending.now(batch)
                answers = [answered for answered in answers if answered[0].execution_id in again]
        except BaseException:
            self._keep(answers)
            raise

    def _take(self) -> list[Answered]:
        """Answers to decide on now: not those of executions that are on their way, nor more than fit a batch."""
        taken: list[Answered] = []
        held: list[Answered] = []
        in_flight = self._appending.in_flight
        while self._waiting and len(taken) < MAX_ANSWERS:
            answered = self._waiting.popleft()
            (held if answered[0].execution_id in in_flight else taken).append(answered)
        self._waiting.extendleft(reversed(held))
        self._answered(call for call, _ in taken)
        return taken

    def _keep(self, answers: list[Answered]) -> None:
        """Answers that may not be recorded yet: deciding on one twice does no harm, losing one would."""
        self._waiting.extendleft(reversed(answers))
        self._stuck = False

    def _decide(self, answers: list[Answered], *, fresh: bool) -> tuple[Batch, list[Answered]]:
        loaded = self._states.load((call.execution_id for call, _ in answers), fresh=fresh)
        batch = Batch(loaded, self._worker_id)
        idle = [pair for pair in answers if not batch.decide(pair[0].execution_id, self._answering(*pair, batch))]
        self._follow_up(batch)
        return batch, idle

    def _answering(self, call: AgentCall, answer: Answer, batch: Batch) -> Callable[[Execution], Unfolding]:
        cause = Cause(datetime.now(UTC), self._actor, causation=f"answer:{call.step}:{call.attempt}")
        take = self._room() - batch.taking - self._appending.taking
        return lambda execution: answer_step(execution, call.step, call.attempt, answer, cause, take=take)
