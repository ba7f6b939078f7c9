"""Homes for embedded servers, and other processes that use them."""

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embedded import embedded

ROOT = Path(__file__).resolve().parents[2]
_USER = """
import sys
from pathlib import Path
from embedded import embedded
with embedded(Path(sys.argv[1])) as share:
    print(share.postmaster_pid, flush=True)
    sys.stdin.read()
"""


class User:
    """Another process that holds a share in a home's server until it is told to leave or is killed."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _USER, str(home)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def joined(self) -> int:
        """Wait until it is in and return the pid of the postmaster it sees."""
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def leave(self) -> None:
        self.process.communicate(timeout=120)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=120)


@pytest.fixture
def start_user() -> Iterator[Callable[[Path], User]]:
    users: list[User] = []

    def start(home: Path) -> User:
        users.append(User(home))
        return users[-1]

    yield start
    for user in users:
        user.kill()


@pytest.fixture
def cold_home(tmp_path: Path) -> Iterator[Path]:
    """A home that does not exist yet."""
    home = tmp_path / "home"
    yield home
    _remove(home)


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose data directory is made once for all tests of a module."""
    home = tmp_path_factory.mktemp("embedded") / "home"
    embedded(home).close(wait=True)
    yield home
    _remove(home)


@pytest.fixture
def warm_home(shared_home: Path) -> Path:
    """A home with a data directory, whose server is down, and was shut down in order."""
    if (shared_home / "postgres" / "server" / "data" / "postmaster.pid").exists():
        embedded(shared_home).close(wait=True)
    return shared_home


def wait_for_end(pid: int) -> None:
    """Wait at most a minute until the process with this pid has ended."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        # Ready when the process has ended, be it reaped or not.
        assert select.select([process], [], [], 60)[0], f"process {pid} still runs"
    finally:
        os.close(process)


def _remove(home: Path) -> None:
    """Remove a home and the server's own files, which as root may lie elsewhere, once the server is down."""
    locks = home / "postgres"
    watcher = (locks / "watcher.lock").read_text().strip() if locks.exists() else ""
    if watcher:
        wait_for_end(int(watcher))
    server = (locks / "server").resolve()
    shutil.rmtree(server, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)
