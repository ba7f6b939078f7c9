"""A whole installation in processes of its own: embedded PostgreSQL, API, workers; all of it may be killed."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.cli.failures import UNAVAILABLE
from embedded import Embedded, EmbeddedPostgresUnavailable, embedded
from embedded.place import locks_of, settle
from projections.tables import create_read_tables
from store.migrating import migrate
from tests.processes import Processes
from tests.waiting import patiently


class Site(Processes):
    """Processes whose database may be away at times. server: the one of their home, which can be killed."""

    server: Embedded

    def restart_ended(self) -> None:
        """Start again, as their supervisor does, processes that ended because the database went away as they began."""
        with self._changing:
            for name, process in self._running.items():
                if process.poll() == UNAVAILABLE:
                    self._running[name] = self._begin(name, self._commands[name])

    def kill_server(self) -> None:
        """SIGKILL PostgreSQL, once a process has brought it back after the last time."""
        os.kill(patiently(lambda: self.server.postmaster_pid, EmbeddedPostgresUnavailable), signal.SIGKILL)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return what the database answers, however often it takes until it is back."""
        self.restart_ended()
        return patiently(lambda: Processes.rows(self, query, *parameters), psycopg.OperationalError)


@pytest.fixture(scope="session")
def migrated_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the data of a stopped server whose database is migrated and empty."""
    server = embedded(tmp_path_factory.mktemp("migrated") / "home")
    migrate(server.conninfo)
    with psycopg.connect(server.conninfo) as connection:
        create_read_tables(connection)
    server.close(wait=True)
    yield server.directory / "data"
    shutil.rmtree(server.directory, ignore_errors=True)


@pytest.fixture
def site(tmp_path: Path, migrated_data: Path) -> Iterator[Site]:
    """An installation with nothing running but PostgreSQL."""
    home = tmp_path / "home"
    subprocess.run(["cp", "-a", migrated_data, settle(locks_of(home)).data], check=True)
    server = embedded(home)
    settings = {"DATABASE_URL": "", "PROCESSION_HOME": str(home), "PROCESSION_LEASE": "PT1S"}
    with Site(tmp_path, server.conninfo, **settings) as made:
        made.server = server
        yield made
    server.close(wait=True)
    shutil.rmtree(server.directory, ignore_errors=True)
