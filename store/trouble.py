"""The troubles of a database that answers but does not serve: named for callers, for health and for the log."""

import logging
import time

import msgspec
import psycopg

logger = logging.getLogger(__name__)

LOGGED_EVERY_SECONDS = 60.0
# Without another append, an older refusal shows nothing about now.
PRESENT_SECONDS = 60.0


class Trouble(msgspec.Struct, frozen=True):
    """code: stable, for programs. detail: for people; it repeats nothing of the server's own message."""

    code: str
    detail: str


_DISK_FULL = Trouble("disk_full", "the disk of the database is full: nothing can be recorded until there is space")
_READ_ONLY = Trouble(
    "read_only", "the database is read-only: it is a standby, or its default is read-only transactions"
)
_PRIVILEGE = Trouble("privilege_missing", "the role of the database address lacks a privilege that this release needs")
_MEMORY = Trouble("database_out_of_memory", "the database is out of memory")
_CONNECTIONS = Trouble("too_many_database_connections", "the database accepts no more connections of this role")
_STARTING = Trouble("database_starting", "the database is starting, stopping or recovering")
_ACCESS = Trouble("database_access_denied", "the database refuses the role or the password of its address")

STANDBY_STALLED = Trouble(
    "synchronous_standby_stalled", "no synchronous standby confirms commits: whatever is to be recorded waits for one"
)
APPEND_OVERDUE = Trouble("append_overdue", "the database does not end appends within PROCESSION_APPEND_TIMEOUT")
REPLICA_DOWN = Trouble("replica_down", "the replica of READ_DATABASE_URL cannot be reached, and queries need it")
DEGRADING = frozenset((STANDBY_STALLED.code, APPEND_OVERDUE.code, _CONNECTIONS.code))
"""The codes of troubles in which reads are answered, and recorded is what the database records in time."""

TROUBLES = {
    "53100": _DISK_FULL,
    "25006": _READ_ONLY,
    "42501": _PRIVILEGE,
    "53200": _MEMORY,
    "53300": _CONNECTIONS,
    "57P03": _STARTING,
    "28000": _ACCESS,
    "28P01": _ACCESS,
}
"""By SQLSTATE. Each means that the server did nothing."""

# libpq gives no SQLSTATE for a connection that the server refuses; it gives the server's message.
_SAID = {
    "too many clients": _CONNECTIONS,
    "too many connections": _CONNECTIONS,
    "connection slots are reserved": _CONNECTIONS,
    "the database system is": _STARTING,
    "password authentication failed": _ACCESS,
    "no pg_hba.conf entry": _ACCESS,
}


class StoreRefuses(Exception):
    """The database refuses to record, for a reason that is known; nothing was recorded."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.detail)
        self.trouble = trouble


class ReplicaDown(psycopg.OperationalError):
    """The replica for queries cannot be reached, and queries do not go to the primary in its place."""

    trouble = REPLICA_DOWN

    def __init__(self) -> None:
        super().__init__(REPLICA_DOWN.detail)


def trouble_of(error: BaseException | None) -> Trouble | None:
    """Return the trouble that `error`, or an error that caused it, shows; None: no known one."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        found = _shown(error)
        if found is not None:
            return found
        error = error.__cause__ or error.__context__
    return None


def _shown(error: BaseException) -> Trouble | None:
    if isinstance(error, StoreRefuses | ReplicaDown):
        return error.trouble
    if not isinstance(error, psycopg.Error):
        return None
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        message = str(error)
        return next((trouble for said, trouble in _SAID.items() if said in message), None)
    return TROUBLES.get(error.sqlstate or "")


class RecordingState:
    """Whether the appends of one process succeed. It logs each trouble when it begins, and once a minute after."""

    def __init__(self) -> None:
        self._trouble: Trouble | None = None
        self._at = 0.0
        self._logged_at = 0.0

    @property
    def trouble(self) -> Trouble | None:
        """The trouble of the last append, if that is of the last minute."""
        trouble = self._trouble
        return trouble if trouble is not None and time.monotonic() - self._at < PRESENT_SECONDS else None

    def failed(self, trouble: Trouble) -> None:
        """Note that an append failed."""
        now = time.monotonic()
        if trouble != self._trouble or now - self._logged_at > LOGGED_EVERY_SECONDS:
            self._logged_at = now
            logger.error("nothing can be recorded (%s): %s", trouble.code, trouble.detail)
        self._trouble, self._at = trouble, now

    def succeeded(self) -> None:
        """Note that an append succeeded."""
        if self._trouble is not None:
            self._trouble = None
            logger.info("events are recorded again")
