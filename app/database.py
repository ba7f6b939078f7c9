"""Which PostgreSQL: the one of DATABASE_URL, or the embedded one."""

from types import TracebackType

from app.settings import Settings
from store.datastore import Datastore
from store.embedded import Embedded, embedded
from store.migrating import migrate


class Database:
    """The server in use, held until closed. dsn: how to reach it; never printed, it may hold a password."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._embedded: Embedded | None = None
        if settings.database_url is None:
            self._embedded = embedded(settings.home)
            self.dsn = self._embedded.conninfo
        else:
            self.dsn = settings.database_url.get_secret_value()

    @property
    def server(self) -> Embedded | None:
        """The embedded server, None with DATABASE_URL."""
        return self._embedded

    def migrate(self) -> list[str]:
        """Apply missing migrations; their names."""
        return migrate(self.dsn)

    def datastore(self, *, pool_size: int | None = None) -> Datastore:
        """A new set of connections to it."""
        revive = self._embedded.ensure_running if self._embedded else (lambda: None)
        return Datastore(self.dsn, pool_size=pool_size or self._settings.pool_size, revive=revive)

    def read_datastore(self) -> Datastore | None:
        """Connections to the read replica, where READ_DATABASE_URL names one."""
        url = self._settings.read_database_url
        return None if url is None else Datastore(url.get_secret_value(), pool_size=self._settings.pool_size)

    def close(self) -> None:
        """Let go of the embedded server; it stops when nobody holds it."""
        if self._embedded is not None:
            self._embedded.close()

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


