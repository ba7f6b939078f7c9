"""The duty of recording answers: many in one append, the next batch decided while the last is on its way."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from commands.executions import answer_step
from domain.agents.calls import AgentCall, Answer
from domain.executions.engine.unfolding import Take
from scheduler.appending import Again, Work
from scheduler.batch import Batch, Decision
from scheduler.duty import DecidingDuty
from scheduler.lists import Attempt
from scheduler.reacting import follow_up
from store.unit import Outage

logger = logging.getLogger(__name__)

MAX_ANSWERS = 150
# Batches are appended one after the other: while one is on its way, fewer answers wait, and others join them; but only
# until so many batches have arrived.
FEW_ANSWERS = 50
FEW_WAIT = 4
BATCHES = 16

Answered = tuple[AgentCall, Answer]


class Recording(DecidingDuty[Answered]):
    """Records the answers of agents; it goes on while the worker stops, until the last open call is answered."""

    overlaps = True
    drains = True

    _blocked = 0  # how many answers waited when all of them, or all but few, were for executions on their way
    _few_wait = 0  # for how many batches few answers wait still
    _few_waited = False  # they have waited long enough

    @property
    def ready(self) -> bool:
        """Whether there are answers that may be decided on now."""
        waiting = len(self.desk.answers)
        return waiting > 0 and waiting != self._blocked and not self.desk.appending.full

    def wake(self, detail: str = "") -> None:
        """Go through all answers again."""
        self._blocked = 0

    def work(self) -> None:
        """Decide on answers that have arrived, and append the decisions; after some batches others have a turn."""
        for _ in range(BATCHES):
            if not self.ready:
                break
            self._go_on()
            self.desk.take_in()

    def recorded(self, batch: Batch) -> None:
        """Go through the answers that waited for the batch again."""
        self._blocked = 0
        if self._few_wait:
            self._few_wait -= 1
            self._few_waited = self._few_wait == 0

    def execution_of(self, item: Answered) -> UUID:
        """Return the execution whose attempt was answered."""
        return item[0].execution_id

    def executions_of(self, items: Sequence[Answered]) -> list[UUID]:
        """Return the execution of each answer: without a call for each, because they are the most frequent items."""
        return [call.execution_id for call, _ in items]

    def decision(self, item: Answered, at: datetime, take: Take) -> Decision:
        """Return the decision on the answer."""
        call, answer = item
        cause = self.desk.cause(f"answer:{call.step}:{call.attempt}", at)
        return lambda execution: answer_step(execution, call.step, call.attempt, answer, cause, take=take)

    def complete(self, batch: Batch) -> None:
        """Let parents go on whose children end."""
        follow_up(self.desk, batch)

    def _go_on(self) -> None:
        """Decide on one batch of answers and append it: at once when there is nothing else to do."""
        appending, answers = self.desk.appending, self._take()
        if not answers:
            return
        try:
            batch, idle, rest = self.decide(answers)
            if idle:
                self.decide_afresh(idle, batch)
            if rest:
                self._keep(rest)
                answers = answers[: len(answers) - len(rest)]
            if not appending.busy and not self.desk.answers and self.desk.quiet():
                self._after(answers, appending.now(batch))
                return
        except BaseException:
            self._keep(answers)
            raise
        appending.later(Work(batch, lambda again: self._after(answers, again), lambda: self._keep(answers)))

    def _after(self, answers: Sequence[Answered], again: Again) -> None:
        """Decide afresh on answers that met a conflict; keep with their attempts those that cannot be recorded now."""
        late = [answered for answered in answers if answered[0].execution_id in again] if again else []
        try:
            if late:
                self.decide_afresh(late)
            self._put_by(answers)
        except BaseException:
            self._keep([*late, *self._unrecorded(answers)])
            raise

    def _put_by(self, answers: Sequence[Answered]) -> None:
        """Keep answers that cannot be recorded with their attempts: the worker that tries these again records them."""
        unrecorded = self._unrecorded(answers)
        if unrecorded:
            kept = [((call.execution_id, call.step, call.attempt), answer) for call, answer in unrecorded]
            for error in self._kept(kept):
                logger.error("an answer cannot be kept, and its agent is called again: %s", error)

    def _kept(self, answers: Sequence[tuple[Attempt, Answer]]) -> Sequence[Exception]:
        """Keep answers; return the errors of those that are lost. Raises Outage."""
        try:
            return self.desk.lists.keep_answers(self.desk.worker_id, answers)
        except Exception as error:
            # libpq reports a lack of memory as an outage, too.
            if isinstance(error, Outage) and "out of memory" not in str(error):
                raise
            return [error]

    def _unrecorded(self, answers: Sequence[Answered]) -> Sequence[Answered]:
        """Return the answers of executions that are set aside, or that only a newer release can read."""
        aside, alone = self.desk.aside, self.desk.states.left_alone
        if not aside and not alone:
            return ()
        return [answered for answered in answers if (id := answered[0].execution_id) in aside or id in alone]

    def _take(self) -> list[Answered]:
        """Return answers to decide on now: not those of executions on their way, and no more than fit a batch."""
        taken: list[Answered] = []
        held: list[Answered] = []
        waiting, in_flight = self.desk.answers, self.desk.appending.in_flight
        while waiting and len(taken) < MAX_ANSWERS:
            answered = waiting.popleft()
            (held if answered[0].execution_id in in_flight else taken).append(answered)
        if 0 < len(taken) < FEW_ANSWERS and self.desk.appending.busy and not self._few_waited:
            self._few_wait = self._few_wait or FEW_WAIT
            held += taken
            taken = []
        elif taken:
            self._few_wait, self._few_waited = 0, False
        self._put_back(held)
        self._blocked = 0 if taken else len(held)
        self.desk.calling.answered(call for call, _ in taken)
        self.desk.reports.answered(taken)
        return taken

    def _keep(self, answers: Iterable[Answered]) -> None:
        """Keep answers that may not be recorded yet: a second decision on one does no harm, the loss of one would."""
        self._put_back(answers)
        self._blocked = 0

    def _put_back(self, answers: Iterable[Answered]) -> None:
        self.desk.answers.extendleft(reversed(list(answers)))
