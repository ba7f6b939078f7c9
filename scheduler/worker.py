"""One worker: dispatcher, lease and ears, started and drained together."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from commands.agents import AgentDirectory
from commands.plans import Plans
from commands.states import ExecutionStates
from domain.identity import new_id
from gateway.channels import Channels
from gateway.gateway import AgentGateway
from scheduler.dispatcher import Dispatcher
from scheduler.lease import Lease
from scheduler.timekeeper import TIMER
from store.datastore import BY_INDEX, Datastore, OwnConnection
from store.listening import LOG_CHANNEL, Listener
from store.log import Log

logger = logging.getLogger(__name__)


class Worker:
    """Takes due attempts, calls their agents and records what they answer, until stopped.

    failed: called, from the worker's own thread, should it stop for a reason nobody foresaw.
    lease: how long its attempts stay its own without a sign of life. drain: how long `stop` waits for open calls.
    channels: how notifications can be delivered.
    """

    def __init__(
        self,
        datastore: Datastore,
        log: Log,
        plans: Plans,
        *,
        callback_key: bytes,
        callback_base: str | None,
        max_open: int,
        lease: timedelta,
        drain: timedelta,
        channels: Channels | None = None,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self.id = new_id()
        self._drain = drain
        self._failed = failed
        self._gateway = AgentGateway(callback_base=callback_base, max_open=max_open, channels=channels)
        # Who has which attempt is not a fact: if it is lost in a crash, the attempt is simply due again.
        self._claiming = OwnConnection(datastore, synchronous_commit="off", **BY_INDEX)
        self._dispatcher = Dispatcher(
            self.id,
            log,
            ExecutionStates(log, plans, reading=self._claiming),
            plans,
            AgentDirectory(log),
            self._gateway,
            self._claiming,
            callback_key=callback_key,
            max_open=max_open,
        )
        self._lease = Lease(self._dispatcher, OwnConnection(datastore, synchronous_commit="off"), lease)
        self._wake = {
            "due": self._dispatcher.wake,
            "message": self._dispatcher.wake_for_messages,
            "room": self._dispatcher.wake_for_room,
            "gone": self._lease.attempts_gone,
        }
        self._listener = Listener(datastore, LOG_CHANNEL, self._heard)
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Begin to work; returns when the worker is known to others and listens."""
        self._lease.start()
        self._listener.start()
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more, wait for open calls as long as `drain` says, record them, give the rest back."""
        self._dispatcher.stop()
        self._thread.join(self._drain.total_seconds())
        self._dispatcher.give_up()
        self._thread.join()
        self._listener.stop()
        self._lease.stop()
        self._gateway.close(grace=timedelta())
        self._claiming.close()

    @property
    def alive(self) -> bool:
        """Whether the dispatcher runs."""
        return self._thread.is_alive()

    @property
    def open_calls(self) -> int:
        """How many calls are open, answers that wait to be recorded included."""
        return self._dispatcher.calling.open

    def _run(self) -> None:
        try:
            self._dispatcher.run()
        except Exception:
            logger.critical("the dispatcher failed; this worker works no longer", exc_info=True)
            self._failed()

    def _heard(self, payload: str) -> None:
        for word in payload.split():
            if word in self._wake:
                self._wake[word]()
            elif word.startswith(TIMER):
                self._dispatcher.expect_timer(datetime.fromtimestamp(float(word.removeprefix(TIMER)), UTC))
