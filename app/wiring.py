"""The objects that doors, command line, benchmark and tests need, made once on the connections to a database."""

from collections.abc import Collection
from datetime import timedelta
from types import TracebackType
from typing import Self

from app.clock import SYSTEM_CLOCK
from app.database import Database
from app.installation import callback_key
from app.settings import Settings
from commands.handlers import Handlers
from commands.keys import KnownKeys
from commands.registrations import SHORTEST_INTERVAL
from commands.trials import Trials
from domain.agents.policy import OutgoingPolicy
from domain.clock import Clock
from domain.event import Cause
from domain.processes.plan import Limits
from domain.schedules.due import OVERDUE
from edge.door import Door
from edge.hosts import LOCAL, Hosts
from edge.sessions import SessionSigner
from projections import ALL
from queries.executions import Definitions
from queries.progress import ExecutionProgress
from queries.reading import WAIT_SECONDS, Reading
from queries.settings import SettingView
from store.append_limit import APPEND_SECONDS
from store.datastore import Datastore
from store.log import Log
from store.rehearsing import Rehearsal
from store.replica import ReplicaConnections

APPEND_TIMEOUT = timedelta(seconds=APPEND_SECONDS)


class Wiring(Handlers):
    """The handlers of commands, and the connections for queries; open until closed.

    replica: queries run on it; default: on `datastore`. rehearsal: notes the events that commands would append.
    append_timeout: the longest wait for the database to record a command.
    """

    def __init__(
        self,
        datastore: Datastore,
        *,
        replica: ReplicaConnections | None = None,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        channels: Collection[str] = (),
        configured_key: bool = False,
        policy: OutgoingPolicy = OutgoingPolicy(),  # noqa: B008 - immutable
        rehearsal: bool = False,
        shortest_interval: timedelta = SHORTEST_INTERVAL,
        overdue_after: timedelta = OVERDUE,
        clock: Clock = SYSTEM_CLOCK,
        append_timeout: timedelta = APPEND_TIMEOUT,
    ) -> None:
        self.datastore = datastore
        self._replica = replica
        self.rehearsal = Rehearsal(datastore) if rehearsal else None
        log = self.rehearsal or Log(datastore, append_seconds=append_timeout.total_seconds())
        super().__init__(
            log,
            limits=limits,
            channels=channels,
            policy=policy,
            configured_key=configured_key,
            shortest_interval=shortest_interval,
            overdue_after=overdue_after,
        )
        self.clock = clock
        self.trials = Trials(self.agents, clock, policy)
        self.reading = self.new_reading()
        self.progress = self.reading.progress
        self.definitions = Definitions()
        datastore.epochs.subscribe(self.definitions.forget_all)

    def new_reading(self, wait_seconds: float = WAIT_SECONDS) -> Reading:
        """Return connections for queries, with a subscription of their own to the progress of read models."""
        progress = ExecutionProgress(self.datastore, self._replica, {each.name: each.digest for each in ALL})
        return Reading(self._replica or self.datastore, progress, wait_seconds=wait_seconds)

    def door(
        self,
        *,
        api_key: str | None = None,
        hosts: Hosts = LOCAL,
        max_streams: int = 500,
        max_batch: int = 10_000,
        settings: tuple[SettingView, ...] = (),
    ) -> Door:
        """Return the handlers and queries of a door. api_key: the key that callers must send; default: none.

        hosts: those that requests may state; default: local ones. max_streams: the most streams open at once.
        max_batch: the most executions that are acted on at once. settings: those in force, for people.
        """
        secret, keys = self.callback_key(), KnownKeys(self.log, self.clock)
        keys.refresh()
        return Door(
            self,
            self.reading,
            self.definitions,
            self.clock,
            secret,
            keys,
            SessionSigner(secret),
            self.trials,
            api_key,
            hosts,
            max_streams=max_streams,
            max_batch=max_batch,
            settings=settings,
        )

    def callback_key(self) -> bytes:
        """Return the key that signs the tokens of agents that answer later."""
        return callback_key(self.datastore)

    def close(self) -> None:
        """Close the connections."""
        self.trials.close()
        self.log.close()
        self.datastore.close()
        if self._replica is not None:
            self._replica.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def wired(settings: Settings, database: Database, *, rehearsal: bool = False) -> Wiring:
    """Return the wiring that the settings describe, on new connections to the database."""
    datastore = database.datastore()
    return Wiring(
        datastore,
        replica=database.replica(datastore),
        limits=Limits(
            settings.max_depth,
            settings.max_descendants,
            settings.max_items,
            settings.max_result,
            settings.max_execution,
        ),
        channels=settings.channels.configured,
        configured_key=settings.api_key is not None,
        policy=settings.policy,
        rehearsal=rehearsal,
        shortest_interval=settings.min_interval,
        overdue_after=settings.overdue_after,
        append_timeout=settings.append_timeout,
    )


def operator(causation: str, actor: str = "user:cli", clock: Clock = SYSTEM_CLOCK) -> Cause:
    """Return the cause of a command at the command line: `actor`, now."""
    return Cause(clock.now(), actor, causation=causation)
