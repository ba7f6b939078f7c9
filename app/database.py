"""Which PostgreSQL: the one of DATABASE_URL, or the embedded one."""

from types import TracebackType
from typing import Self

import psycopg
from psycopg import conninfo
from pydantic import SecretStr

from app.settings import BadSetting, Settings
from embedded import Embedded, embedded
from projections.tables import create_read_tables, stale_names
from store.datastore import Datastore
from store.migrating import migrate, pending

CONNECT_SECONDS = 10


class NotMigrated(RuntimeError):
    """The database of DATABASE_URL lacks migrations that this release needs."""


class Database:
    """The server in use, held until closed. dsn: how to reach it; never printed, it may hold a password.

    Raises BadSetting for a malformed address, EmbeddedPostgresUnavailable where the embedded server cannot run.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._read_dsn = _usable("READ_DATABASE_URL", settings.read_database_url)
        self._embedded: Embedded | None = None
        given = _usable("DATABASE_URL", settings.database_url)
        if given is None:
            self._embedded = embedded(settings.home)
            given = self._embedded.conninfo
        self.dsn: str = given

    @property
    def server(self) -> Embedded | None:
        """The embedded server, None with DATABASE_URL."""
        return self._embedded

    def migrate(self) -> list[str]:
        """Apply missing migrations and create missing read tables; the migrations' names. Safe to repeat."""
        applied = migrate(self.dsn)
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            create_read_tables(connection)
        return applied

    def stale_read_models(self) -> list[str]:
        """Return the read models whose tables another release built; a projector of this release builds its own."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return stale_names(connection)

    def pending(self) -> list[str]:
        """The migrations that `migrate` would apply."""
        return pending(self.dsn)

    def require_migrated(self) -> None:
        """Migrate the embedded server. Of DATABASE_URL's its operator decides: raises NotMigrated when it must."""
        if self._embedded is not None:
            self.migrate()
        elif missing := self.pending():
            raise NotMigrated(
                f"the database lacks {len(missing)} migration(s), from {missing[0]}; run `procession migrate` first"
            )

    def datastore(self, *, pool_size: int | None = None) -> Datastore:
        """A new set of connections to it."""
        revive = self._embedded.ensure_running if self._embedded else (lambda: None)
        return Datastore(self.dsn, pool_size=pool_size or self._settings.pool_size, revive=revive)

    def read_datastore(self) -> Datastore | None:
        """Connections to the read replica, where READ_DATABASE_URL names one."""
        return None if self._read_dsn is None else Datastore(self._read_dsn, pool_size=self._settings.pool_size)

    def close(self) -> None:
        """Let go of the embedded server; it stops when nobody holds it."""
        if self._embedded is not None:
            self._embedded.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _usable(variable: str, url: SecretStr | None) -> str | None:
    """The address, with a limit on how long connecting may take. What libpq complains of may hold the password."""
    if url is None:
        return None
    dsn = url.get_secret_value()
    try:
        given = conninfo.conninfo_to_dict(dsn)
        return conninfo.make_conninfo(dsn, connect_timeout=given.get("connect_timeout") or CONNECT_SECONDS)
    except psycopg.Error:
        message = f"{variable} is no PostgreSQL address such as postgresql://user@host/database"
        raise BadSetting(message) from None
