"""One worker: dispatcher, lease, upkeep and listener, started and drained together."""

import logging
import queue
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from uuid import UUID

from commands.agents import CachedAgents
from commands.executions import Executions
from commands.plans import Plans
from commands.pricing import KnownPrices, Pricing
from commands.states import BatchStates, ExecutionStates, ScheduleStates
from domain.agents.policy import OutgoingPolicy
from domain.clock import Clock
from domain.event import Event
from domain.identity import new_id
from gateway.channels import Channels
from gateway.gateway import AgentGateway
from scheduler.background_responses import RecordedResponses
from scheduler.dispatcher import Arrived, Dispatcher
from scheduler.gateway import SchedulerGateway
from scheduler.large_results import StoredLargeResults
from scheduler.lease import RENEWALS, STATEMENT_SECONDS, Lease, StoredLeases
from scheduler.pipeline import Pipeline
from scheduler.stored_lists import StoredLists
from scheduler.upkeep import Upkeep
from store.carried import read_carried
from store.datastore import BY_INDEX, Datastore, OwnConnection
from store.listening import LOG_CHANNEL, Listener
from store.log import Log

logger = logging.getLogger(__name__)


def _read_schedules(reading: OwnConnection, streams: Iterable[UUID]) -> dict[UUID, list[Event]]:
    with reading.borrow() as connection:
        return read_carried(connection, streams)


class Worker:
    """Claims due attempts, calls their agents and records their answers, until stopped.

    failed: called, from the worker's own thread, if it stops for an unforeseen reason.
    lease: how long its attempts stay its own without a renewal. drain: how long `stop` waits for open calls.
    channels: deliver notifications. policy: the rules of what goes out. large_results: bytes of an output that may be
    stored beside the log; None: none may.
    """

    def __init__(
        self,
        datastore: Datastore,
        log: Log,
        plans: Plans,
        *,
        clock: Clock,
        callback_key: bytes,
        callback_base: str | None,
        max_open: int,
        lease: timedelta,
        drain: timedelta,
        channels: Channels | None = None,
        policy: OutgoingPolicy = OutgoingPolicy(),  # noqa: B008 - immutable
        large_results: int | None = None,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self.id = new_id()
        self._drain = drain
        self._failed = failed
        self._gateway = AgentGateway(
            clock=clock,
            callback_base=callback_base,
            max_open=max_open,
            channels=channels,
            policy=policy,
            responses=RecordedResponses(Executions(log, plans), clock, self.id),
            large=None if large_results is None else StoredLargeResults(datastore, callback_key, large_results),
            pricing=Pricing(KnownPrices(log, clock)),
        )
        # A claim is no fact: if it is lost in a crash, the attempt is simply due again.
        connection = OwnConnection(datastore, f"{self.id} claims", synchronous_commit="off", **BY_INDEX)
        self._lists = StoredLists(connection)
        inbox: queue.SimpleQueue[Arrived] = queue.SimpleQueue()
        self._dispatcher = Dispatcher(
            self.id,
            clock=clock,
            lists=self._lists,
            appender=Pipeline(log, inbox.put),
            states=ExecutionStates(partial(log.streams, reading=connection), plans, epochs=datastore.epochs),
            schedules=ScheduleStates(partial(_read_schedules, connection), epochs=datastore.epochs),
            batches=BatchStates(partial(log.streams, reading=connection), epochs=datastore.epochs),
            plans=plans,
            agents=CachedAgents(log, clock, datastore.epochs),
            gateway=self._gateway,
            alarms=SchedulerGateway(),
            inbox=inbox,
            callback_key=callback_key,
            max_open=max_open,
        )
        self._lease = Lease(self.id, StoredLeases(datastore, lease, f"{self.id} lease"), clock, lease)
        kept = StoredLists(OwnConnection(datastore, f"{self.id} upkeep", synchronous_commit="off", **BY_INDEX))
        self._upkeep = Upkeep(self._dispatcher, kept, clock, lease / RENEWALS)
        self._listener = Listener(datastore, LOG_CHANNEL, self._received, f"{self.id} listen")
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Begin to work; return when the worker has a lease, and listens."""
        self._lease.start()
        self._upkeep.start()
        self._listener.start()
        self._thread.start()

    def stop(self) -> None:
        """Claim nothing more, wait for open calls for up to `drain`, record their answers, release the rest."""
        self._dispatcher.stop()
        self._thread.join(self._drain.total_seconds())
        self._dispatcher.abandon()
        self._thread.join(STATEMENT_SECONDS)
        if self._thread.is_alive():
            # A statement or a decision does not end. The process ends all the same; the lease runs out.
            logger.error("the dispatcher does not end, %s is left in the middle of its work", self.id)
            self._gateway.close(grace=timedelta())
            return
        self._listener.stop()
        self._lease.stop()
        self._upkeep.stop()
        self._gateway.close(grace=timedelta())
        self._lists.close()

    @property
    def alive(self) -> bool:
        """Whether the dispatcher runs."""
        return self._thread.is_alive()

    @property
    def open_calls(self) -> int:
        """The number of open calls, answers that wait to be recorded included."""
        return self._dispatcher.calling.open

    def _run(self) -> None:
        try:
            self._dispatcher.run()
        except Exception:
            logger.critical("the dispatcher failed; this worker works no longer", exc_info=True)
            self._failed()

    def _received(self, payload: str) -> None:
        for word in payload.split():
            self._dispatcher.wake(word)
