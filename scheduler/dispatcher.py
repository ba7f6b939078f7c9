"""The worker's loop: due attempts go to agents, their answers into the log, as many as there are in one append."""

import logging
import queue
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from commands.agents import AgentDirectory
from commands.plans import Plans
from commands.states import ExecutionStates
from domain.agents.calls import AgentCall, Answer
from domain.event import Cause
from domain.executions.decisions.step import start_step
from domain.executions.engine.unfolding import Unfolding
from domain.executions.state.model import Execution
from gateway.gateway import AgentGateway
from scheduler.admitting import Admitting
from scheduler.appending import Appending, Work
from scheduler.batch import Batch
from scheduler.calling import Calling
from scheduler.firing import Firing, given_up
from scheduler.pipeline import Appended
from scheduler.reactor import Reactor
from scheduler.recording import Answered, Recording
from scheduler.timekeeper import Timekeeper
from store.datastore import OwnConnection
from store.lists import due_steps
from store.log import Log
from store.unit import Outage

logger = logging.getLogger(__name__)

MAX_CLAIM = 200
IDLE_POLL_SECONDS = 1.0
OUTAGE_PAUSE_SECONDS = 0.2


class Dispatcher:
    """One worker. `run` until `stop`; answers and wake-ups arrive through one inbox.

    max_open: how many agent calls it holds at once.
    """

    def __init__(
        self,
        worker_id: UUID,
        log: Log,
        states: ExecutionStates,
        plans: Plans,
        agents: AgentDirectory,
        gateway: AgentGateway,
        claiming: OwnConnection,
        *,
        callback_key: bytes,
        max_open: int = 1000,
    ) -> None:
        self.worker_id = worker_id
        self._actor = f"worker:{worker_id}"
        self._log = log
        self._states = states
        self._claiming = claiming
        self._max_open = max_open
        self._inbox: queue.SimpleQueue[Answered | Appended[Work] | None] = queue.SimpleQueue()
        self._calling = Calling(agents, gateway, self._deliver, callback_key)
        self._appending = Appending(log, states, self._recorded, self._inbox.put)
        self._reactor = Reactor(
            worker_id,
            states,
            plans,
            self._appending,
            claiming,
            self._capacity,
            self._calling.tell,
            lambda: self._inbox.put(None),
        )
        self._recording = Recording(
            worker_id, states, self._appending, self._capacity, self._calling.answered, self._reactor.follow_up
        )
        self._firing = Firing(worker_id, states, self._appending, claiming, self._capacity)
        self._admitting = Admitting(worker_id, states, plans, self._appending, claiming, self._capacity)
        self._timekeeper = Timekeeper(self.wake_for_timers)
        self._may_be_due = True
        self._timers_may_be_due = True
        self._messages_may_wait = True
        self._may_be_room = True
        self._stopping = threading.Event()
        self._gave_up = threading.Event()

    def wake(self) -> None:
        """There may be work that nobody has."""
        self._may_be_due = True
        self._inbox.put(None)

    def look_again(self) -> None:
        """There may be anything: a wake-up may have been lost, and what others had in hand may be free again."""
        self._look_everywhere()
        self._inbox.put(None)

    def wake_for_timers(self) -> None:
        """There may be timers that are due."""
        self._timers_may_be_due = True
        self._inbox.put(None)

    def wake_for_messages(self) -> None:
        """There may be messages that nobody has."""
        self._messages_may_wait = True
        self._inbox.put(None)

    def wake_for_room(self) -> None:
        """There may be executions that wait for their turn, and room for them."""
        self._may_be_room = True
        self._inbox.put(None)

    def expect_timer(self, due_at: datetime) -> None:
        """Somebody set a timer that is due then."""
        self._timekeeper.expect(due_at)

    def stop(self) -> None:
        """Take nothing more; `run` returns when the open calls are answered."""
        self._stopping.set()
        self._inbox.put(None)

    def give_up(self) -> None:
        """Do not wait for open calls any longer; others will call those agents again."""
        self._gave_up.set()
        self._inbox.put(None)

    @property
    def calling(self) -> Calling:
        """The calls that are open."""
        return self._calling

    def run(self) -> None:
        """Work until stopped and drained."""
        self._appending.start()
        self._timekeeper.start()
        try:
            while not self._drained():
                try:
                    self._receive(wait=not self._can_go_on)
                    self._work()
                except Outage as error:
                    logger.warning("the database is out of reach, trying again: %s", error)
                    self._look_everywhere()
                    self._stopping.wait(OUTAGE_PAUSE_SECONDS)
        finally:
            self._timekeeper.stop()
            self._release()
            self._appending.stop()

    def _work(self) -> None:
        while self._recording.can_go_on:
            self._recording.go_on(self._inbox.empty)
            self._receive(wait=False)
        if self._stopping.is_set():
            return
        if self._timers_may_be_due:
            self._finish_recording()
            self._fire()
        if self._messages_may_wait or self._reactor.holding:
            self._finish_recording()
            self._react()
        if self._may_be_room:
            self._finish_recording()
            self._admit()
        if self._may_be_due:
            self._finish_recording()
            self._claim()

    @property
    def _can_go_on(self) -> bool:
        return self._recording.can_go_on or (self._reactor.holding and not self._stopping.is_set())

    def _finish_recording(self) -> None:
        """Wait until no batch is on its way, so that what is decided next is decided on states that are recorded."""
        while self._appending.busy:
            self._receive(wait=True)

    def _drained(self) -> bool:
        if self._gave_up.is_set():
            return True
        done = self._recording.idle and not self._appending.busy and not self._calling.open and self._inbox.empty()
        return self._stopping.is_set() and done

    def _deliver(self, call: AgentCall, answer: Answer) -> None:
        self._inbox.put((call, answer))

    def _receive(self, *, wait: bool) -> None:
        """Take in everything that has arrived; `wait` for the first when nothing has."""
        try:
            item = self._inbox.get(timeout=IDLE_POLL_SECONDS) if wait else self._inbox.get_nowait()
        except queue.Empty:
            if wait:
                self._look_everywhere()
            return
        while True:
            if isinstance(item, tuple):
                self._recording.add(item)
            elif item is not None:
                self._appending.settle(item)
                self._recording.unstick()
            try:
                item = self._inbox.get_nowait()
            except queue.Empty:
                return

    def _capacity(self) -> int:
        return 0 if self._stopping.is_set() else max(0, self._max_open - self._calling.open)

    def _fire(self) -> None:
        """Fire what is due, and be woken when the next timer is."""
        self._timers_may_be_due = False
        look_at = self._firing.fire_due()
        if look_at is not None:
            self._timekeeper.expect(look_at)

    def _react(self) -> None:
        """Handle what is in hand, and what else waits."""
        if self._messages_may_wait:
            self._messages_may_wait = False
            self._messages_may_wait = self._reactor.claim()
        if self._reactor.holding:
            self._reactor.react()

    def _admit(self) -> None:
        """Let in who waits for their turn, as far as there is room."""
        self._may_be_room = False
        if self._admitting.admit():
            self.wake_for_room()

    def _look_everywhere(self) -> None:
        self._may_be_due = self._timers_may_be_due = self._messages_may_wait = self._may_be_room = True

    def _release(self) -> None:
        try:
            self._firing.release()
            self._reactor.release()
        except Outage as error:
            logger.warning("what is in hand is left to others only when it is overdue: %s", error)

    def _claim(self) -> None:
        """Take due attempts that nobody has, as far as there is room."""
        limit = min(MAX_CLAIM, self._capacity())
        if limit == 0:
            return
        with self._claiming.borrow() as connection:
            claimed = due_steps.claim(connection, self.worker_id, limit)
        self._may_be_due = len(claimed) == limit
        if claimed:
            self._start(claimed)
        if self._may_be_due:
            self._inbox.put(None)

    def _start(self, claimed: list[tuple[UUID, str, int]]) -> None:
        """Record that the claimed attempts start, and begin them; one that is not due by the log is struck off.

        One whose execution this worker cannot read is left to others.
        """
        todo, fresh = claimed, False
        while todo:
            loaded = self._states.load((execution_id for execution_id, _, _ in todo), fresh=fresh)
            batch = Batch(loaded, self.worker_id)
            idle = [due for due in todo if not batch.decide(due[0], self._starting(due))]
            again = self._appending.now(batch)
            if fresh and idle:
                alone = [(id, step) for id, step, _ in idle if id in self._states.left_alone]
                over = [(id, step) for id, step, _ in idle if id not in self._states.left_alone]
                with self._claiming.borrow() as connection:
                    due_steps.postpone(connection, self.worker_id, alone)
                    due_steps.drop(connection, self.worker_id, over)
                idle = []
            todo = [due for due in todo if due[0] in again] + idle
            fresh = True

    def _starting(self, due: tuple[UUID, str, int]) -> Callable[[Execution], Unfolding]:
        _, step, attempt = due
        cause = Cause(datetime.now(UTC), self._actor, causation=f"start:{step}:{attempt}")
        return lambda execution: start_step(execution, step, attempt, cause)

    def _recorded(self, batch: Batch) -> None:
        """Calls whose attempts were given up end; those taken begin."""
        self._calling.cancel(given_up(batch))
        for execution, step in batch.taken:
            self._calling.begin(execution, step)
        if batch.messages:
            self._reactor.add(batch.messages)
