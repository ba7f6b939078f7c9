"""The server as its user holds it: joined or started, kept while in use, restarted after it was killed."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from . import locks
from .errors import EmbeddedPostgresUnavailable
from .launcher import ensure_started, running
from .place import Locks, ServerPlace, locks_of, settle
from .watcher import ensure_watched, stop_if_unused

# A start takes a second or two; a start with crash recovery first replays up to max_wal_size.
_START_SECONDS = 300.0
_ANSWER_SECONDS = 15.0
_POLL_SECONDS = 0.01


class Embedded:
    """A share in the server of one home: it runs at least until every share is closed or its process has died."""

    def __init__(self, home: Path, database: str, settings: Mapping[str, str]) -> None:
        if sys.platform == "win32":
            raise EmbeddedPostgresUnavailable("it does not run on Windows")
        self._database = database
        self._settings = dict(settings)
        with _os_errors_explained(home):
            self._locks: Locks = locks_of(home)
            deadline = time.monotonic() + _START_SECONDS
            with locks.exclusive(self._locks.control, deadline):
                self._share: int | None = locks.open_shared(self._locks.users, deadline)
                try:
                    self._place: ServerPlace = settle(self._locks)
                    self._start(deadline)
                except BaseException:
                    self._leave()
                    raise

    @property
    def conninfo(self) -> str:
        """The psycopg connection string of the database, over the Unix socket; the same after every restart."""
        return self._conninfo

    @property
    def directory(self) -> Path:
        """The directory of the server's own files: below the home, or elsewhere when its account cannot go there."""
        return self._place.server

    @property
    def postmaster_pid(self) -> int:
        """The pid of the live server. Raises EmbeddedPostgresUnavailable when it is not running."""
        if (server := running(self._place)) is None:
            raise EmbeddedPostgresUnavailable(f"the server in {self._place.server} is not running")
        return server.pid

    def ensure_running(self) -> None:
        """Start the server again if it was killed; any number of threads and processes may call this at once.

        Returns once the server takes connections. Raises EmbeddedPostgresUnavailable when it cannot be started.
        """
        if self._share is None:
            raise ValueError("this share in the embedded PostgreSQL is closed")
        with _os_errors_explained(self._locks.root):
            deadline = time.monotonic() + _START_SECONDS
            with locks.exclusive(self._locks.control, deadline):
                self._start(deadline)

    def close(self, *, wait: bool = False) -> None:
        """Give the share back; the server stops about a second after the last one is.

        wait: if this was the last share, stop the server at once and return when it is gone.
        """
        if self._share is None:
            return
        self._leave()
        if not self._locks.root.exists():
            return
        if wait:
            users = locks.open_lock(self._locks.users)
            try:
                stop_if_unused(self._locks, self._place.data, users)
            finally:
                os.close(users)
        else:
            # The watcher may have been killed meanwhile, and then no process would stop the server.
            with locks.exclusive(self._locks.control, time.monotonic() + _START_SECONDS):
                if running(self._place) is not None:
                    ensure_watched(self._locks)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, deadline: float) -> None:
        # psycopg is loaded only here: the watcher imports this package too, and should stay small.
        from .database import conninfo_of, ensure_database

        ensure_watched(self._locks)
        patience = time.monotonic() + _ANSWER_SECONDS
        while True:
            server = ensure_started(self._place, self._settings, deadline)
            try:
                ensure_database(server.socket_directory, self._database)
                break
            except EmbeddedPostgresUnavailable:
                # A server that is killed right now still seems alive for a moment: check again.
                if time.monotonic() > patience:
                    raise
                time.sleep(_POLL_SECONDS)
        self._conninfo = conninfo_of(server.socket_directory, self._database)

    def _leave(self) -> None:
        # Closing, not unlocking: children forked meanwhile hold the same lock and may still use the server.
        if self._share is not None:
            os.close(self._share)
            self._share = None


@contextmanager
def _os_errors_explained(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmbeddedPostgresUnavailable(f"{home} cannot be used for it: {error}") from error
