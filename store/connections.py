"""Connections to one database: a shared pool, and connections outside it that reconnect after an outage."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import POLLIN, poll
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import Connection, conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, TupleRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from store import arrays, session
from store.epochs import LogEpochs
from store.failed_connections import FailedConnections
from store.pooling import is_pooled, require_sessions
from store.trouble import Trouble, trouble_of

NAME = "procession"
# The parameters by which addresses differ.
ADDRESS = ("host", "hostaddr", "port", "dbname", "user")

POOL_TIMEOUT_SECONDS = 10.0
# The pool closes one connection that nobody needed in so many seconds, then the next one, down to one.
IDLE_SECONDS = 5.0
TRIED_SECONDS = 2
TRUSTED_SECONDS = 1.0
# psycopg raises these when the server cannot be reached or goes away in the middle, and when it serves no writer: a
# standby after a change of roles, or a role without privileges. Another connection, or an operator, ends each of them.
Outage = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.InsufficientPrivilege,
)
# Everything that psycopg raises, errors of the server included.
DatabaseFailure = psycopg.Error

Revive = Callable[[], None]

_LENDING_SESSIONS: set[tuple[str, ...]] = set()
"""The addresses behind which a pooler lends sessions."""


def connection_parameters(dsn: str, name: str = NAME) -> dict[str, Any]:
    """Return libpq parameters of our connections: a limit of the time to connect, and `name`, which `dsn` precedes."""
    parameters = conninfo.conninfo_to_dict(dsn)
    parameters.setdefault("application_name", name)
    parameters.setdefault("connect_timeout", 10)
    parameters["client_encoding"] = "UTF8"
    return parameters


def connect(dsn: str, name: str = NAME, **settings: str) -> Connection[TupleRow]:
    """Return a new connection in autocommit mode, with server `settings` of its own.

    Raises Outage; DatabaseUnsuitable where a pooler lends it transactions, which is tried once a process.
    """
    parameters = connection_parameters(dsn, name) | {"autocommit": True}
    connection, served_by = _opened(parameters, settings)
    address = tuple(str(parameters.get(part)) for part in ADDRESS)
    if is_pooled(connection, served_by) and address not in _LENDING_SESSIONS:
        try:
            with psycopg.connect(**parameters) as other:
                require_sessions(connection, other)
        except BaseException:
            connection.close()
            raise
        _LENDING_SESSIONS.add(address)
    return connection


def connect_without_settings(dsn: str) -> Connection[TupleRow]:
    """Return a new connection that sets nothing, for a server that refuses our settings. Raises Outage."""
    return psycopg.connect(dsn, autocommit=True)


def configure(connection: Connection[Any], **settings: str) -> int:
    """Make a new connection ready for our statements; return the process of the server that serves it."""
    served_by = session.complete(connection, {**session.SETTINGS, **settings})
    arrays.register(connection)
    return served_by


def _opened(parameters: dict[str, Any], settings: dict[str, str]) -> tuple[Connection[Any], int]:
    """Return a new connection that is configured, and the process of the server that serves it. Raises Outage."""
    for tried in range(1, session.TRIES + 1):
        connection = psycopg.connect(**parameters)
        try:
            return connection, configure(connection, **settings)
        except BaseException as error:
            connection.close()
            # The role may end idle sessions so early that one ends before it is configured.
            if not isinstance(error, psycopg.errors.IdleSessionTimeout) or tried == session.TRIES:
                raise
    raise AssertionError("unreachable")


# For connections whose statements find rows by index only, as appends and claims do: the server plans each once, for an
# index, and does not plan it again for every length of array and size of list.
BY_INDEX = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


class Connections:
    """One shared pool that keeps every libpq parameter (TLS and the like), and connections outside it.

    name: shown by the server as the application; connections outside the pool add their part.
    revive: called when the server cannot be reached; starts the embedded one again, does nothing for any other.
    primary: the epochs of the primary, of which this server is a replica; default: it is the primary.
    """

    pool: "ConnectionPool[Connection[DictRow]]"

    def __init__(
        self,
        dsn: str,
        *,
        pool_size: int = 10,
        revive: Revive = lambda: None,
        name: str = NAME,
        primary: LogEpochs | None = None,
    ) -> None:
        self.dsn = dsn
        self.name = name
        self.revive = revive
        self.epochs = primary or LogEpochs()
        self._meet = self.epochs.meet if primary is None else self.epochs.meet_replica
        self._failed = FailedConnections(self._attempt)
        self._used: WeakKeyDictionary[Connection[DictRow], float] = WeakKeyDictionary()
        self._pool_size = pool_size
        self.pool = self._new_pool()

    @contextmanager
    def reading(self, timeout: float | None = None) -> Iterator[Connection[DictRow]]:
        """Lend a connection of the pool in autocommit mode, for queries.

        timeout: the longest wait for one; default: POOL_TIMEOUT_SECONDS. Raises Outage, which states why there is none.
        """
        pool = self.pool
        try:
            connection = pool.getconn(timeout)
        except PoolTimeout as error:
            raise PoolTimeout(f"{error}: {self._failed.reason(pool.max_size)}") from self._failed.error
        try:
            with connection:
                yield connection
                self._used[connection] = monotonic()
        finally:
            pool.putconn(connection)

    def connect(self, part: str = "", **settings: str) -> Connection[DictRow]:
        """Return a new connection outside the pool, in autocommit mode, with server `settings` of its own.

        part: what it is for, added to the name of the application.
        """
        parameters = {**self._parameters(part), "row_factory": dict_row, "autocommit": True}
        try:
            connection = _opened(parameters, settings)[0]
        except psycopg.OperationalError:
            self.revive()
            connection = _opened(parameters, settings)[0]
        try:
            self._meet(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def trouble(self) -> Trouble | None:
        """Return why the server, or this process, refuses a new connection; None: neither, or the reason is unknown."""
        return trouble_of(self._failed.tried())

    def renew_pool(self) -> None:
        """Begin with a new pool; connections of the one before are closed as they come back."""
        before, self.pool = self.pool, self._new_pool()
        before.close()

    def _new_pool(self) -> "ConnectionPool[Connection[DictRow]]":
        return ConnectionPool(
            connection_class=Connection[DictRow],
            kwargs={**self._parameters(), "row_factory": dict_row, "autocommit": True},
            min_size=1,
            max_size=self._pool_size,
            max_idle=IDLE_SECONDS,
            open=True,
            configure=self._configure,
            check=self._check,
            timeout=POOL_TIMEOUT_SECONDS,
        )

    def _parameters(self, part: str = "") -> dict[str, Any]:
        return connection_parameters(self.dsn, f"{self.name} {part}".strip())

    def _attempt(self) -> None:
        parameters = self._parameters() | {"connect_timeout": TRIED_SECONDS, "autocommit": True}
        with psycopg.connect(**parameters) as connection:
            self._meet(connection)

    def _configure(self, connection: Connection[DictRow]) -> None:
        """Make a new connection ready, and compare its server with those known. Raises EpochRefused, or Outage."""
        configure(connection)
        self._meet(connection)

    def _check(self, connection: Connection[DictRow]) -> None:
        """Raise if a connection is lost, or of an epoch that is over.

        One that was used a moment ago answers unless its server closed it since.
        """
        if self.epochs.ended(connection):
            connection.close()  # the pool keeps one that is open
            raise psycopg.OperationalError("another epoch of the log has begun since the connection was opened")
        if monotonic() - self._used.get(connection, 0.0) < TRUSTED_SECONDS:
            socket = poll()
            socket.register(connection.fileno(), POLLIN)
            if not socket.poll(0):
                return
        ConnectionPool.check_connection(connection)

    def close(self) -> None:
        """Close the pool."""
        self.pool.close()


class OwnConnection:
    """One connection outside the pool, for one thread at a time. Its first use opens it, and the next after a loss."""

    def __init__(self, connections: Connections, part: str = "", **settings: str) -> None:
        self._connections = connections
        self._part = part
        self._settings = settings
        self._connection: Connection[DictRow] | None = None

    @contextmanager
    def borrow(self) -> Iterator[Connection[DictRow]]:
        """Lend the connection, in autocommit mode. An error of the connection closes it; the next use opens another."""
        if self._connection is not None and self._connections.epochs.over(self._connection):
            self.close()
        if self._connection is None or self._connection.closed:
            self._connection = self._connections.connect(self._part, **self._settings)
        try:
            yield self._connection
        except psycopg.Error as error:
            # libpq may report a lack of memory, in the middle of an answer, as any error.
            if isinstance(error, Outage) or self._connection.info.transaction_status != TransactionStatus.IDLE:
                self.close()
            raise

    def reopen(self) -> None:
        """Open another one in its place, which states the present epoch of the log. Raises Outage."""
        self.close()
        self._connection = self._connections.connect(self._part, **self._settings)

    def close(self) -> None:
        """Close it; a later use opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
