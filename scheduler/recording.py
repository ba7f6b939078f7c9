"""Agents' answers become decisions: many in one append, the next batch decided while the last is on its way."""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from commands.executions import answer_step
from commands.states import ExecutionStates
from domain.agents.calls import AgentCall, Answer
from domain.event import Cause
from domain.executions.execution import Execution
from domain.executions.unfolding import Unfolding
from scheduler.batch import Batch
from scheduler.pipeline import DEPTH, Appended, Pipeline
from store.log import Log, Outcome

MAX_ANSWERS = 150

Answered = tuple[AgentCall, Answer]
Begin = Callable[[list[tuple[Execution, str]]], None]


class Work(msgspec.Struct):
    """Answers and what was decided on them."""

    answers: list[Answered]
    batch: Batch


class Recording:
    """Records answers for one worker. Used by one thread; only `arrived` may be called by others.

    room: how many attempts the worker may take at once now. answered: told of calls whose answers are being decided on.
    begin: what to do with the attempts taken, once that is recorded.
    appended: how a result reaches the worker's thread, which then passes it to `settle`.
    """

    def __init__(
        self,
        worker_id: UUID,
        log: Log,
        states: ExecutionStates,
        room: Callable[[], int],
        answered: Callable[[Iterable[AgentCall]], None],
        begin: Begin,
        appended: Callable[[Appended[Work]], None],
    ) -> None:
        self._worker_id = worker_id
        self._actor = f"worker:{worker_id}"
        self._log = log
        self._states = states
        self._room = room
        self._answered = answered
        self._begin = begin
        self._pipeline = Pipeline[Work](log, appended)
        self._waiting: deque[Answered] = deque()
        self._in_flight: set[UUID] = set()
        self._outstanding = 0
        self._taking = 0
        self._stuck = False

    def start(self) -> None:
        """Begin to append."""
        self._pipeline.start()

    def stop(self) -> None:
        """End the appending thread."""
        self._pipeline.stop()

    def add(self, answered: Answered) -> None:
        """An answer has arrived."""
        self._waiting.append(answered)
        self._stuck = False

    @property
    def busy(self) -> bool:
        """Whether a batch is on its way."""
        return self._outstanding > 0

    @property
    def idle(self) -> bool:
        """Whether every answer that arrived is recorded."""
        return not self._waiting and not self._outstanding

    @property
    def can_go_on(self) -> bool:
        """Whether there is something that may be decided on now."""
        return bool(self._waiting) and self._outstanding < DEPTH and not self._stuck

    def go_on(self, alone: Callable[[], bool]) -> None:
        """Decide on answers that wait, and append that: at once when `alone` says that nothing else is to be done."""
        answers = self._take()
        if not answers:
            self._stuck = True  # until a batch that is on its way has arrived, or another answer has
            return
        try:
            work, idle = self._decide(answers, fresh=False)
        except BaseException:
            self._waiting.extendleft(reversed(answers))
            raise
        units = work.batch.units()
        if idle:
            self._settle_afresh(idle)
        if not self._outstanding and not self._waiting and alone():
            self._settled(work, self._log.append_all(units))
            return
        self._in_flight.update(unit.stream for unit in units)
        self._outstanding += 1
        self._taking += work.batch.taking
        self._pipeline.submit(work, units)

    def settle(self, appended: Appended[Work]) -> None:
        """A batch that was on its way has been appended, or has failed."""
        self._outstanding -= 1
        self._stuck = False
        self._taking -= appended.work.batch.taking
        self._in_flight.difference_update(appended.work.batch.executions())
        if appended.error is not None:
            self._waiting.extendleft(reversed(appended.work.answers))
            raise appended.error
        self._settled(appended.work, appended.outcomes)

    def _settled(self, work: Work, outcomes: list[Outcome]) -> None:
        again = work.batch.settle(outcomes, self._states)
        self._begin(work.batch.taken)
        if again:
            self._settle_afresh([answered for answered in work.answers if answered[0].execution_id in again])

    def _settle_afresh(self, answers: list[Answered]) -> None:
        """Decide on states read again from the log; an answer that means nothing even then was not needed."""
        try:
            while answers:
                work, _ = self._decide(answers, fresh=True)
                again = work.batch.settle(self._log.append_all(work.batch.units()), self._states)
                self._begin(work.batch.taken)
                answers = [answered for answered in answers if answered[0].execution_id in again]
        except BaseException:
            self._waiting.extendleft(reversed(answers))
            raise

    def _take(self) -> list[Answered]:
        """Answers to decide on now: not those of executions that are on their way, nor more than fit a batch."""
        taken: list[Answered] = []
        held: list[Answered] = []
        while self._waiting and len(taken) < MAX_ANSWERS:
            answered = self._waiting.popleft()
            (held if answered[0].execution_id in self._in_flight else taken).append(answered)
        self._waiting.extendleft(reversed(held))
        self._answered(call for call, _ in taken)
        return taken

    def _decide(self, answers: list[Answered], *, fresh: bool) -> tuple[Work, list[Answered]]:
        loaded = self._states.load((call.execution_id for call, _ in answers), fresh=fresh)
        batch = Batch(loaded, self._worker_id)
        idle = [pair for pair in answers if not batch.decide(pair[0].execution_id, self._answering(*pair, batch))]
        return Work(answers, batch), idle

    def _answering(self, call: AgentCall, answer: Answer, batch: Batch) -> Callable[[Execution], Unfolding]:
        cause = Cause(datetime.now(UTC), self._actor, causation=f"answer:{call.step}:{call.attempt}")
        take = self._room() - batch.taking - self._taking
        return lambda execution: answer_step(execution, call.step, call.attempt, answer, cause, take=take)
