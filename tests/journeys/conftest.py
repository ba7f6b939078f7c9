"""A whole installation in processes of its own: embedded PostgreSQL, API, workers; all of it may be killed."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx2
import psycopg
import pytest

from app.cli.failures import UNAVAILABLE
from embedded import Embedded, EmbeddedPostgresUnavailable, embedded
from embedded.place import locks_of, settle
from projections.tables import create_read_tables
from store.migrating import migrate
from tests.forking import Forked, fork
from tests.ports import free_port

DEADLINE_SECONDS = 120.0
# Trying again at once would take the processor from the process that is to answer.
PAUSE_SECONDS = 0.03

T = TypeVar("T")


class Site:
    """Processes on one embedded server. Every one of them can be killed and started again by its name."""

    def __init__(self, directory: Path, server: Embedded) -> None:
        self.directory = directory
        self.server = server
        self._running: dict[str, Forked] = {}
        self._commands: dict[str, tuple[str, ...]] = {}
        self._changing = threading.Lock()
        self.base = ""
        self.address_space: int | None = None
        self.prepared_by: str | None = None
        self.settings: dict[str, str] = {}
        self.client = httpx2.Client(timeout=60)

    def launch(self, name: str, *arguments: str) -> None:
        """Run a `procession` command as the process called `name`."""
        self._commands[name] = arguments
        self.restart(name)

    def serve(self, name: str = "api") -> str:
        """Start an API as the process called `name`; return its address."""
        port = free_port()
        self.launch(name, "serve", "--port", str(port))
        return f"http://127.0.0.1:{port}"

    @property
    def environment(self) -> dict[str, str]:
        """What the processes are told."""
        environment = {
            **os.environ,
            "PROCESSION_HOME": str(self.directory / "home"),
            "PROCESSION_RECORDS": str(self.directory),
            "PROCESSION_LEASE": "PT1S",
            **self.settings,
        }
        environment.pop("DATABASE_URL", None)
        return environment

    def limit_memory(self, kilobytes: int) -> None:
        """Give the processes launched from now on so much address space and no more."""
        self.address_space = kilobytes << 10

    def running(self, name: str) -> bool:
        """Whether the process called `name` has not ended."""
        return self._running[name].poll() is None

    def run(self, *arguments: str) -> int:
        """Run a `procession` command to its end, and return its exit status."""
        return self._fork(arguments, "commands.log").wait(300)

    def words(self) -> str:
        """Return what commands that have been run wrote."""
        return (self.directory / "commands.log").read_text()

    def _start(self, name: str) -> None:
        self._running[name] = self._fork(self._commands[name], f"{name}.log")

    def _fork(self, arguments: tuple[str, ...], log: str) -> Forked:
        return fork(
            arguments,
            self.environment,
            self.directory / log,
            address_space=self.address_space,
            prepared_by=self.prepared_by,
        )

    def kill(self, name: str) -> None:
        """SIGKILL the process called `name`, which has no chance to tidy up."""
        with self._changing:
            process = self._running.pop(name)
        process.kill()
        process.wait()

    def end(self, name: str, seconds: float) -> int:
        """SIGTERM the process called `name`; return its exit code. Raises TimeoutExpired."""
        with self._changing:
            process = self._running.pop(name)
        process.terminate()
        return process.wait(seconds)

    def pid(self, name: str) -> int:
        """Return the process id of the process called `name`."""
        return self._running[name].pid

    def restart(self, name: str) -> None:
        """Start the process called `name` again."""
        with self._changing:
            self._start(name)

    def restart_ended(self) -> None:
        """Start again, as their supervisor does, processes that ended because the database went away as they began."""
        with self._changing:
            for name, process in self._running.items():
                if process.poll() == UNAVAILABLE:
                    self._start(name)

    def kill_server(self) -> None:
        """SIGKILL PostgreSQL, once somebody has brought it back after the last time."""
        os.kill(patiently(lambda: self.server.postmaster_pid, EmbeddedPostgresUnavailable), signal.SIGKILL)

    def rows(self, query: str, *parameters: object) -> list[tuple]:
        """Ask the database directly, however often it takes until it is back."""
        self.restart_ended()
        return patiently(lambda: self._rows(query, parameters), psycopg.OperationalError)

    def _rows(self, query: str, parameters: tuple) -> list[tuple]:
        with psycopg.connect(self.server.conninfo, autocommit=True) as connection:
            return connection.execute(query, parameters or None).fetchall()

    @staticmethod
    def patiently(act: Callable[[], T], *failures: type[Exception]) -> T:
        """`act` until it does not fail with one of `failures`, with a deadline."""
        return patiently(act, *failures)

    def ready(self) -> None:
        """Return when the API answers."""
        patiently(lambda: self.client.get(f"{self.base}/health/ready").raise_for_status(), httpx2.HTTPError)

    def stop(self) -> None:
        """Drain every process; kill what does not end."""
        self.client.close()
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def patiently(act: Callable[[], T], *failures: type[Exception]) -> T:
    """`act` until it does not fail with one of `failures`, with a deadline."""
    deadline, pause = time.monotonic() + DEADLINE_SECONDS, threading.Event()
    while True:
        try:
            return act()
        except failures:
            if time.monotonic() > deadline:
                raise
        pause.wait(PAUSE_SECONDS)


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
    made = Site(tmp_path, server)
    yield made
    made.stop()
    server.close(wait=True)
    shutil.rmtree(server.directory, ignore_errors=True)
