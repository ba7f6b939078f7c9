"""The worker's loop: it goes through the duties whenever one of them may have work."""

import logging
import queue
import threading
from typing import Protocol
from uuid import UUID

from commands.agents import CachedAgents
from commands.plans import Plans
from commands.states import BatchStates, ExecutionStates, ScheduleStates
from domain.agents.calls import AgentCall, Answer
from domain.clock import Clock
from scheduler.alarms import Alarms
from scheduler.appending import Appending, Work
from scheduler.batch import Batch
from scheduler.calling import Calling, CallsAgents
from scheduler.capacity import Capacity
from scheduler.duties import DUTIES
from scheduler.duty import Desk, Duty
from scheduler.limit_reports import LimitReports
from scheduler.lists import Lists
from scheduler.pipeline import Appended, Appender
from scheduler.setting_aside import SettingAside
from store.unit import Outage

logger = logging.getLogger(__name__)

IDLE_POLL_SECONDS = 1.0
OUTAGE_PAUSE_SECONDS = 0.2
MOST_BROKEN = 10
"""After so many turns in a row in which a duty failed for an unforeseen reason, the worker ends."""

Arrived = Appended[Work] | None
"""A batch that was appended; None: a nudge."""


class Inbox(Protocol):
    """A thread-safe queue, as `queue.SimpleQueue` is one."""

    def put(self, item: Arrived) -> None:
        """Add an item."""

    def get(self, block: bool = True, timeout: float | None = None) -> Arrived:
        """Return the oldest item; wait for one up to `timeout` seconds. Raises queue.Empty."""

    def empty(self) -> bool:
        """Whether there is no item."""


class Dispatcher:
    """One worker: `run` until `stop`. Batches that were appended, and nudges, arrive through one inbox.

    appender: hands the batches that it appended to `inbox`. max_open: how many agent calls the worker holds at once.
    """

    def __init__(
        self,
        worker_id: UUID,
        *,
        clock: Clock,
        lists: Lists,
        appender: Appender[Work],
        states: ExecutionStates,
        schedules: ScheduleStates,
        batches: BatchStates,
        plans: Plans,
        agents: CachedAgents,
        gateway: CallsAgents,
        alarms: Alarms,
        inbox: Inbox,
        callback_key: bytes,
        max_open: int = 1000,
    ) -> None:
        self.worker_id = worker_id
        capacity = Capacity(max_open)
        self._reports = LimitReports()
        self.calling = Calling(agents, gateway, self._deliver, callback_key, capacity, self._sends)
        self._inbox = inbox
        aside = SettingAside(lists, worker_id, clock, self.calling.attempts)
        self._desk = Desk(
            worker_id,
            f"worker:{worker_id}",
            clock,
            lists,
            states,
            schedules,
            batches,
            plans,
            aside,
            Appending(appender, self._recorded, aside),
            self.calling,
            alarms,
            capacity=capacity,
            nudge=self._nudge,
            take_in=lambda: self._receive(wait=False),
            settle=self._settle,
            quiet=inbox.empty,
            reports=self._reports,
        )
        self._duties: list[Duty] = [duty(self._desk) for duty in DUTIES]
        self._by_word = {duty.word: duty for duty in self._duties if duty.word}
        self._stopping = threading.Event()
        self._abandoned = threading.Event()

    def wake(self, word: str) -> None:
        """Wake the duty of a notification's `word`; ignore other words. Callable from any thread."""
        name, colon, detail = word.partition(":")
        duty = self._by_word.get(name + colon)
        if duty is not None:
            duty.wake(detail)
            self._nudge()

    def wake_all(self) -> None:
        """Wake every duty: a notification may have been lost, and other workers may have released their claims."""
        for duty in self._duties:
            duty.wake()
        self._nudge()

    def stop(self) -> None:
        """Claim nothing more; `run` returns when the open calls are answered."""
        self._stopping.set()
        self._desk.capacity.closed = True
        self._nudge()

    def abandon(self) -> None:
        """Wait for open calls no longer; other workers will call their agents again."""
        self._abandoned.set()
        self._nudge()

    def run(self) -> None:
        """Work until stopped and drained."""
        self._desk.appending.start()
        self._desk.alarms.start()
        more, broken = False, 0
        try:
            while not self._drained():
                try:
                    more = self.turn(wait=not more)
                    broken = 0
                except Outage as error:
                    logger.warning("the database is out of reach, trying again: %s", error)
                    self._pause()
                except Exception:
                    broken += 1
                    if broken >= MOST_BROKEN:
                        raise
                    logger.exception("a duty failed for an unforeseen reason, trying again")
                    self._pause()
        finally:
            self._desk.alarms.stop()
            self._release()
            self._desk.appending.stop()

    def _pause(self) -> None:
        """Let the database, or the process, recover; the duties then go through everything again."""
        self.wake_all()
        self._stopping.wait(OUTAGE_PAUSE_SECONDS)
        if self._stopping.is_set():
            self._abandoned.wait(OUTAGE_PAUSE_SECONDS)

    def turn(self, *, wait: bool) -> bool:
        """Take in everything that has arrived; if nothing has and `wait`, wait for it. Do each duty that is ready.

        Return whether a duty can go on at once.
        """
        self._receive(wait=wait)
        broken: Exception | None = None
        for duty in self._duties:
            if self._may(duty):
                if not duty.overlaps:
                    self._settle()
                try:
                    duty.work()
                except Outage:
                    raise
                except Exception as error:  # noqa: BLE001 - raised again when the other duties have had their turn
                    broken = broken or error
        if broken is not None:
            raise broken
        return any(self._may(duty) for duty in self._duties)

    def _may(self, duty: Duty) -> bool:
        return (duty.drains or not self._stopping.is_set()) and duty.ready

    def _settle(self) -> None:
        """Wait until no batch is on its way, so that the next decisions rest on states that are recorded."""
        while self._desk.appending.busy:
            self._receive(wait=True)

    def _drained(self) -> bool:
        if self._abandoned.is_set():
            return True
        busy = self._desk.answers or self._desk.appending.busy or self.calling.open
        return self._stopping.is_set() and not busy and self._inbox.empty()

    def _receive(self, *, wait: bool) -> None:
        """Take in everything that has arrived; `wait` for the first item when nothing has."""
        try:
            item = self._inbox.get(wait, IDLE_POLL_SECONDS)
        except queue.Empty:
            if wait:
                self.wake_all()
            return
        while True:
            if item is not None:
                self._desk.appending.settle(item)
            try:
                item = self._inbox.get(False)
            except queue.Empty:
                return

    def _deliver(self, call: AgentCall, answer: Answer) -> None:
        self._desk.answers.append((call, answer))
        if self._inbox.empty():  # as `_nudge`, without a further call: this is the most frequent one
            self._inbox.put(None)

    def _sends(self, call: AgentCall) -> None:
        if self._reports.counts((call.execution_id, call.step, call.attempt)):
            self._reports.sent(call)
            self._nudge()

    def _nudge(self) -> None:
        if self._inbox.empty():  # or else the loop goes on anyway, and the caller has noted the work before
            self._inbox.put(None)

    def _recorded(self, batch: Batch) -> None:
        for duty in self._duties:
            duty.recorded(batch)

    def _release(self) -> None:
        for duty in self._duties:
            try:
                duty.release()
            except Exception as error:  # noqa: BLE001 - the others release their claims all the same
                logger.warning("other workers take over what is claimed only when it is overdue: %s", error)
