"""The PostgreSQL in use: the one of DATABASE_URL, or the embedded one."""

import logging
from types import TracebackType
from typing import TYPE_CHECKING, Self

import psycopg
from psycopg import conninfo

from app.addresses import read_address
from app.setting import SecretSetting
from app.settings import BadSetting, Settings
from store.connections import NAME, Connections, Outage, connect
from store.migrating import migrate, pending, rehearse
from store.replica import ReplicaConnections
from store.unsuitable import DatabaseUnsuitable

if TYPE_CHECKING:
    from embedded import Embedded
    from store.datastore import Datastore

# Imported where used: with DATABASE_URL no command needs the embedded server; queries need no projections and no
# eventsourcing library.

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10


class NotMigrated(RuntimeError):
    """The database of DATABASE_URL lacks migrations that this release needs."""


class Database:
    """The server in use, held until closed. dsn: its address; never printed, it may hold a password.

    role: of this process, which names its connections on the server.
    Raises BadSetting for a malformed address, EmbeddedPostgresUnavailable where the embedded server cannot run.
    """

    def __init__(self, settings: Settings, role: str = "") -> None:
        self._settings = settings
        self._name = f"{NAME} {role}".strip()
        self._read_dsn = _usable("READ_DATABASE_URL", settings.read_database_url)
        self._embedded: Embedded | None = None
        given = _usable("DATABASE_URL", settings.database_url)
        if given is None:
            from embedded import embedded

            self._embedded = embedded(settings.home)
            given = self._embedded.conninfo
        self.dsn: str = given

    @property
    def server(self) -> "Embedded | None":
        """The embedded server, None with DATABASE_URL."""
        return self._embedded

    def migrate(self, *, probing: bool = True, serving: bool = False, projecting: bool = False) -> list[str]:
        """Apply missing migrations, create missing read tables, return the migrations' names. Safe to repeat.

        probing: try first that the server can be used. serving, projecting: require the privileges to serve, and to
        keep read tables up.
        Raises DatabaseUnsuitable before anything is applied, PrivilegesMissing, and what `store.migrating` raises.
        """
        from projections.tables import create_read_tables, read_table_names
        from store.privileges import require_serving
        from store.probing import probe

        if probing:
            probe(self.dsn)
        names = read_table_names()
        applied = migrate(self.dsn, names)
        with connect(self.dsn) as connection:
            create_read_tables(connection)
            if serving or projecting:
                require_serving(connection, names, names if projecting else ())
        return applied

    def grant_serving(self, role: str, *, dry_run: bool = False) -> None:
        """Grant `role` what a process that serves needs. dry_run: only require that it can be granted.

        Raises PrivilegesMissing.
        """
        from projections.tables import read_table_names
        from store.grantable import require_granting
        from store.granting import grant_serving

        with connect(self.dsn) as connection:
            if dry_run:
                require_granting(connection, role)
            else:
                grant_serving(connection, role, read_table_names())

    def stale_read_models(self) -> list[str]:
        """Return the read models whose tables another release built; a projector of this release builds its own."""
        from projections.tables import stale_names

        with connect(self.dsn) as connection:
            return stale_names(connection)

    def rehearse(self) -> list[str]:
        """Return the migrations that `migrate` would apply; change nothing. Raises what `migrate` raises."""
        from projections.tables import read_table_names
        from store.probing import probe

        probe(self.dsn)
        return rehearse(self.dsn, read_table_names())

    def require_migrated(self) -> None:
        """Migrate the embedded server. Raise NotMigrated if the one of DATABASE_URL lacks migrations."""
        if self._embedded is not None:
            self.migrate(probing=False)
        elif missing := pending(self.dsn):
            raise NotMigrated(
                f"the database lacks {len(missing)} migration(s), from {missing[0]}; run `procession migrate` first"
            )

    def datastore(self, *, pool_size: int | None = None) -> "Datastore":
        """Return a new datastore, for appends and queries."""
        from store.datastore import Datastore

        size = pool_size or self._settings.pool_size
        return Datastore(self.dsn, pool_size=size, revive=self._revive, name=self._name)

    def connections(self) -> Connections:
        """Return new connections, for queries only."""
        return Connections(self.dsn, pool_size=self._settings.pool_size, revive=self._revive, name=self._name)

    def replica(self, primary: Connections) -> ReplicaConnections | None:
        """Return new connections to the read replica, None without READ_DATABASE_URL.

        primary: those that queries use while the replica is down. Raises DatabaseUnsuitable for a pooler before the
        replica that lends transactions. A replica that cannot be reached is no error.
        """
        if self._read_dsn is None:
            return None
        try:
            connect(self._read_dsn, self._name).close()
        except DatabaseUnsuitable as error:
            raise DatabaseUnsuitable([f"READ_DATABASE_URL: {each}" for each in error.problems]) from None
        except Outage as error:
            logger.warning("the replica of READ_DATABASE_URL cannot be reached: %s", error)
        return ReplicaConnections(
            self._read_dsn,
            primary,
            fallback=self._settings.read_fallback,
            pool_size=self._settings.pool_size,
            name=f"{self._name} replica",
        )

    def close(self) -> None:
        """Release the embedded server; it stops when no process holds it."""
        if self._embedded is not None:
            self._embedded.close()

    def _revive(self) -> None:
        if self._embedded is not None:
            self._embedded.ensure_running()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _usable(variable: str, url: SecretSetting | None) -> str | None:
    """Return the address with a limit on the time to connect. libpq's message is omitted: it may hold the password."""
    if url is None:
        return None
    dsn = url.get_secret_value().strip()
    try:
        given = read_address(dsn)
        seconds = given.get("connect_timeout") or CONNECT_SECONDS
        return conninfo.make_conninfo(dsn, connect_timeout=seconds)
    except (ValueError, psycopg.Error) as error:
        reason = str(error) if isinstance(error, ValueError) else "states a parameter that cannot be used"
        raise BadSetting(f"{variable} {reason}") from None
