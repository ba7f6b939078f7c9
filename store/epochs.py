"""The epoch of the log: the server that wrote it last, and what a process forgets when another server takes over.

A failover may lose the last events and give their positions to others. Each server that takes over begins an epoch.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary, WeakMethod, WeakSet

import msgspec
import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

from store.trouble import StoreRefuses, Trouble

logger = logging.getLogger(__name__)

_IDENTITY = """pg_is_in_recovery() as standby,
  (select system_identifier::text from pg_control_system()) as system_identifier, case when not pg_is_in_recovery()
  then ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint end as timeline"""
# For a service that does not let the role read them.
_NO_IDENTITY = "pg_is_in_recovery() as standby, null::text as system_identifier, null::bigint as timeline"
_FOUND = """select s.standby, s.system_identifier, s.timeline, e.number, e.epoch_id, e.system_identifier, e.timeline,
  e.begins_at, e.begun_at
from (select {}) s left join log_epochs e on true order by e.number"""
_BEGIN = "select begin_epoch_v1(%s, %s)"
_UNREADABLE = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.FeatureNotSupported,
)
_NOT_WRITABLE = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.UndefinedFunction,
)

OLDER_SERVER = Trouble(
    "older_server",
    "the server is of an older epoch of the log than this process has seen, such as an old primary that came back",
)
LAGGING_REPLICA = Trouble("replica_of_older_epoch", "the replica does not hold the present epoch of the log yet")

Forget = Callable[[], None]


class Epoch(msgspec.Struct, frozen=True):
    """number: counts from 1. epoch_id: random; it names the epoch for clients. begins_at: the end of the log then.

    system_identifier, timeline: of the server that began it; empty and 0 where it does not state them.
    """

    number: int
    epoch_id: str
    system_identifier: str
    timeline: int
    begins_at: int
    begun_at: datetime

    @property
    def server(self) -> tuple[str, int]:
        """The server whose epoch this is."""
        return self.system_identifier, self.timeline


class EpochRefused(StoreRefuses, psycopg.OperationalError):
    """The server, or the replica, is of an older epoch: no connection to it is used."""


class LogEpochs:
    """The epochs of one log, in the view of one process; every new connection states the present one.

    Every cache of what the log says subscribes here, with a method that empties it: each is called when another epoch
    begins, and when the log may have lost events. It must not wait for whatever uses the database. It replaces what is
    kept, or has it read anew before the next use: a reading under way must not fill it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[Epoch, ...] = ()
        self._caches: list[WeakMethod[Forget]] = []
        self._met: WeakKeyDictionary[Connection[Any], tuple[str, str | None]] = WeakKeyDictionary()
        self._standbys: WeakSet[Connection[Any]] = WeakSet()
        self._identified = True

    @property
    def known(self) -> tuple[Epoch, ...]:
        """Every epoch, the first one first; empty before the first connection, and before the first migration."""
        return self._known

    @property
    def current(self) -> Epoch | None:
        """The present epoch; None before the first connection."""
        known = self._known
        return known[-1] if known else None

    def enter(self) -> str | None:
        """Return the id of the present epoch; no cache holds anything older, as long as it was not read before."""
        with self._lock:
            return self._id()

    def subscribe(self, forget: Forget) -> None:
        """Have `forget`, a method, called when another epoch begins, and when the log may have lost events.

        The subscription ends with the object.
        """
        with self._lock:
            self._caches = [each for each in self._caches if each() is not None] + [WeakMethod(forget)]

    @property
    def caches(self) -> list[Forget]:
        """The methods that subscribed."""
        return [forget for each in self._caches if (forget := each()) is not None]

    def forget(self) -> None:
        """Empty all caches: the log may have lost events that this process has read."""
        with self._lock:
            self._forget()

    def holds(self, epoch: str, position: int) -> bool:
        """Return whether the log still has the position of an epoch; an unknown epoch was lost itself."""
        known = self._known
        at = next((n for n, each in enumerate(known) if each.epoch_id == epoch), None)
        return not known or (at is not None and all(position <= later.begins_at for later in known[at + 1 :]))

    def ended(self, connection: Connection[Any]) -> bool:
        """Return whether another epoch has begun since `connection` was opened: its server may be an old primary."""
        met = self._met.get(connection)
        return met is not None and met[0] != self._id()

    def over(self, connection: Connection[Any]) -> bool:
        """Return the same, or whether the server was a standby then: promoted since, it may begin an epoch."""
        return self.ended(connection) or connection in self._standbys

    def of(self, connection: Connection[Any]) -> tuple[str | None, str | None]:
        """Return the epoch of a connection and the timeline of its server in hexadecimal; None for unknown ones."""
        return self._met.get(connection, (None, None))

    def meet(self, connection: Connection[Any]) -> None:
        """Compare the server of a new connection with those known; begin an epoch on another one.

        Raises EpochRefused for a server of an older epoch, or Outage.
        """
        standby, server, epochs = self._read(connection)
        if standby:
            self._standbys.add(connection)
            return
        current = self.current
        if server is not None and (not epochs or epochs[-1].server != server):
            for other in (current, epochs[-1] if epochs else None):
                if other is not None and other.system_identifier == server[0] and server[1] < other.timeline:
                    raise EpochRefused(OLDER_SERVER)
            try:
                connection.execute(_BEGIN, server)
            except _NOT_WRITABLE as error:
                logger.warning("the epoch of the log cannot be noted: %s", error)
                return
            _, _, epochs = self._read(connection)
        if epochs:
            self._take(epochs)
            self._met[connection] = epochs[-1].epoch_id, None if server is None else f"{server[1]:08X}"

    def meet_replica(self, connection: Connection[Any]) -> None:
        """Compare a replica with the primary. Raises EpochRefused while it lacks the present epoch, or Outage."""
        current = self._id()
        if current is None:
            return
        _, _, epochs = self._read(connection)
        if current not in [each.epoch_id for each in epochs]:
            raise EpochRefused(LAGGING_REPLICA)
        self._met[connection] = current, None

    def _take(self, epochs: tuple[Epoch, ...]) -> None:
        new = epochs[-1]
        with self._lock:
            before = self.current
            if before is not None and before.epoch_id != new.epoch_id:
                ended = any(each.epoch_id == new.epoch_id for each in self._known)
                # Two servers with one timeline were both promoted from the same one: the first one met is kept.
                if ended or (before.server == new.server and before.timeline):
                    raise EpochRefused(OLDER_SERVER)
            self._known = epochs
            if before is None or before.epoch_id == new.epoch_id:
                return
            self._forget()
        logger.warning(
            "epoch %d of the log has begun after position %d, on server %s with timeline %d, in place of %s with %d: "
            "positions beyond it were lost, and everything read before is forgotten",
            new.number,
            new.begins_at,
            new.system_identifier or "?",
            new.timeline,
            before.system_identifier or "?",
            before.timeline,
        )

    def _forget(self) -> None:
        for forget in self.caches:
            forget()

    def _id(self) -> str | None:
        known = self._known
        return known[-1].epoch_id if known else None

    def _read(self, connection: Connection[Any]) -> tuple[bool, tuple[str, int] | None, tuple[Epoch, ...]]:
        """Return whether the server is a standby, its identity where it states one, and the epochs of its log."""
        try:
            try:
                rows = _rows(connection, _IDENTITY if self._identified else _NO_IDENTITY)
            except _UNREADABLE as error:
                logger.warning("a failover is not noticed by the server's identity, which cannot be read: %s", error)
                self._identified = False
                rows = _rows(connection, _NO_IDENTITY)
        except psycopg.errors.UndefinedTable:
            return False, None, ()
        standby, system, timeline = rows[0][:3]
        epochs = tuple(Epoch(*row[3:]) for row in rows if row[3] is not None)
        return standby, None if system is None or timeline is None else (system, timeline), epochs


def _rows(connection: Connection[Any], identity: str) -> list[tuple[Any, ...]]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(_FOUND.format(identity)).fetchall()
