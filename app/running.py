"""API, worker and projector in one process: started together, drained together."""

import logging
import math
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from app.clock import SYSTEM_CLOCK
from app.process import collect_seldom, raise_file_limit
from app.settings import Settings
from app.signals import Stopping
from app.wiring import Wiring
from scheduler.policing import Policing
from scheduler.projector import Projector

if TYPE_CHECKING:
    from app.serving import ApiServer
    from scheduler.bells import Bells
    from scheduler.memory import MemoryFiles
    from scheduler.worker import Worker

# Each role imports its modules when it starts: most commands start no role, and a worker serves no requests.

logger = logging.getLogger(__name__)


class WorkerRoles:
    """The roles of one process. Each `start_` method starts a role; leaving `running` drains and ends all of them."""

    def __init__(self, wiring: Wiring, settings: Settings, stopping: Stopping) -> None:
        self._wiring = wiring
        self._settings = settings
        self._stopping = stopping
        self._api: ApiServer | None = None
        self._worker: Worker | None = None
        self._bells: Bells | None = None
        self._memory: MemoryFiles | None = None
        self._projector: Projector | None = None
        self._policing: Policing | None = None

    def start_api(self, bound: socket.socket) -> str:
        """Serve the API on a bound socket; return its address."""
        from app.connections import ConnectionLimits
        from app.serving import ApiServer
        from app.settings_in_force import settings_in_force
        from edge.hosts import hosts_of

        settings, key = self._settings, self._settings.api_key
        calls = 0 if self._worker is None else settings.max_open_calls
        connections = raise_file_limit(calls, settings.max_connections)
        door = self._wiring.door(
            api_key=None if key is None else key.get_secret_value(),
            hosts=hosts_of(settings.public_url, settings.allowed_hosts, keyed=key is not None),
            max_streams=settings.max_streams,
            max_batch=settings.max_batch,
            settings=settings_in_force(settings),
        )
        limits = ConnectionLimits(
            connections=connections,
            receive_seconds=settings.receive_timeout.total_seconds(),
            send_seconds=settings.send_timeout.total_seconds(),
            keep_alive_seconds=math.ceil(settings.keep_alive.total_seconds()),
        )
        api = ApiServer(door, bound, lambda: self._failed("API"), limits)
        collect_seldom(oldest=1)
        api.start()
        self._api = api
        return api.url

    def start_worker(self, callback_base: str | None) -> None:
        """Take due steps and call their agents. callback_base: the address of the API for agents; default: none."""
        from scheduler.bells import Bells
        from scheduler.worker import Worker

        settings = self._settings
        raise_file_limit(settings.max_open_calls)
        collect_seldom()
        worker = Worker(
            self._wiring.datastore,
            self._wiring.log,
            self._wiring.plans,
            clock=SYSTEM_CLOCK,
            callback_key=self._wiring.callback_key(),
            callback_base=settings.public_url or callback_base,
            max_open=settings.max_open_calls,
            lease=settings.lease,
            drain=settings.drain,
            channels=settings.channels,
            policy=settings.policy,
            large_results=settings.large_results,
            failed=lambda: self._failed("worker"),
        )
        worker.start()
        self._worker = worker
        self._bells = Bells(self._wiring.datastore, self._wiring.reading, SYSTEM_CLOCK, settings.policy)
        self._bells.start()
        if settings.memory_dir is not None:
            from app.memory import memory_files

            self._memory = memory_files(self._wiring, settings.memory_dir, settings.memory_size)
            self._memory.start()

    def start_projector(self) -> None:
        """Keep the read models up to date, and raise the cost alerts that follow from them."""
        collect_seldom()
        wiring = self._wiring
        projector = Projector(wiring.datastore, SYSTEM_CLOCK, inbox_keeps=timedelta(days=self._settings.inbox_days))
        projector.start()
        self._projector = projector
        self._policing = Policing(wiring.datastore, SYSTEM_CLOCK, wiring.alert_acts.act)
        self._policing.start()

    def stop(self) -> None:
        """Drain: the worker and the API at the same time, then the projector, so that it applies their last events."""
        parts = (self._worker, self._bells, self._memory, self._api)
        ending = [threading.Thread(target=part.stop) for part in parts if part is not None]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join()
        if self._policing is not None:
            self._policing.stop()
        if self._projector is not None:
            self._projector.stop()

    def _failed(self, part: str) -> None:
        self._stopping.request(f"the {part} broke", failed=True)


@contextmanager
def running(wiring: Wiring, settings: Settings, stopping: Stopping) -> Iterator[WorkerRoles]:
    """Yield roles to start; drain them on leaving, also after an error."""
    with ExitStack() as ending:
        roles = WorkerRoles(wiring, settings, stopping)
        ending.callback(roles.stop)
        yield roles
