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
from psycopg_pool import ConnectionPool

from store import arrays, session
from store.epochs import LogEpochs
from store.trouble import Trouble, trouble_of

POOL_TIMEOUT_SECONDS = 10.0
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


def connection_parameters(dsn: str, **settings: str) -> dict[str, Any]:
    """Return libpq parameters of our connections: a name, a limit of the time to connect, and server settings.

    settings: precede those that every connection has.
    """
    parameters = conninfo.conninfo_to_dict(dsn)
    parameters.setdefault("application_name", "procession")
    parameters.setdefault("connect_timeout", 10)
    parameters["client_encoding"] = "UTF8"
    given = parameters.get("options") or ""
    parameters["options"] = f"{given} {session.options({**session.SETTINGS, **settings})}".strip()
    return parameters


def connect(dsn: str, **settings: str) -> Connection[TupleRow]:
    """Return a new connection in autocommit mode, with server `settings` of its own. Raises Outage."""
    connection = psycopg.connect(**connection_parameters(dsn, **settings), autocommit=True)
    configure(connection, **settings)
    return connection


def connect_without_settings(dsn: str) -> Connection[TupleRow]:
    """Return a new connection that sets nothing, for a server that refuses our settings. Raises Outage."""
    return psycopg.connect(dsn, autocommit=True)


def configure(connection: Connection[Any], **settings: str) -> None:
    """Make a new connection ready for our statements. settings: as in `connection_parameters`."""
    session.complete(connection, {**session.SETTINGS, **settings})
    arrays.register(connection)


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

    revive: called when the server cannot be reached; starts the embedded one again, does nothing for any other.
    primary: the epochs of the primary, of which this server is a replica; default: it is the primary.
    """

    pool: "ConnectionPool[Connection[DictRow]]"

    def __init__(
        self, dsn: str, *, pool_size: int = 10, revive: Revive = lambda: None, primary: LogEpochs | None = None
    ) -> None:
        self.dsn = dsn
        self.revive = revive
        self.epochs = primary or LogEpochs()
        self._meet = self.epochs.meet if primary is None else self.epochs.meet_replica
        self._used: WeakKeyDictionary[Connection[DictRow], float] = WeakKeyDictionary()
        self.pool = ConnectionPool(
            connection_class=Connection[DictRow],
            kwargs={**connection_parameters(dsn), "row_factory": dict_row, "autocommit": True},
            min_size=1,
            max_size=pool_size,
            open=True,
            configure=self._configure,
            check=self._check,
            timeout=POOL_TIMEOUT_SECONDS,
        )

    @contextmanager
    def reading(self) -> Iterator[Connection[DictRow]]:
        """Lend a connection of the pool in autocommit mode, for queries. Raises Outage."""
        with self.pool.connection() as connection:
            yield connection
            self._used[connection] = monotonic()

    def connect(self, **settings: str) -> Connection[DictRow]:
        """Return a new connection outside the pool, in autocommit mode, with server `settings` of its own."""
        parameters = {**connection_parameters(self.dsn, **settings), "row_factory": dict_row, "autocommit": True}
        try:
            connection: Connection[DictRow] = psycopg.connect(**parameters)
        except psycopg.OperationalError:
            self.revive()
            connection = psycopg.connect(**parameters)
        try:
            self._configure(connection, **settings)
        except BaseException:
            connection.close()
            raise
        return connection

    def trouble(self) -> Trouble | None:
        """Return why the server, or this process, refuses a new connection; None: neither, or the reason is unknown."""
        parameters = {**connection_parameters(self.dsn), "connect_timeout": TRIED_SECONDS, "autocommit": True}
        try:
            with psycopg.connect(**parameters) as connection:
                self._meet(connection)
        except Outage as error:
            return trouble_of(error)
        return None

    def _configure(self, connection: Connection[Any], **settings: str) -> None:
        """Make a new connection ready, and compare its server with those known. Raises EpochRefused, or Outage."""
        configure(connection, **settings)
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

    def __init__(self, connections: Connections, **settings: str) -> None:
        self._connections = connections
        self._settings = settings
        self._connection: Connection[DictRow] | None = None

    @contextmanager
    def borrow(self) -> Iterator[Connection[DictRow]]:
        """Lend the connection, in autocommit mode. An error of the connection closes it; the next use opens another."""
        if self._connection is not None and self._connections.epochs.over(self._connection):
            self.close()
        if self._connection is None or self._connection.closed:
            self._connection = self._connections.connect(**self._settings)
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
        self._connection = self._connections.connect(**self._settings)

    def close(self) -> None:
        """Close it; a later use opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
