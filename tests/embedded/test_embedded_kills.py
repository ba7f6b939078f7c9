"""The embedded server survives, or ends as it should, when any of its processes is killed."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from embedded import Embedded, embedded
from tests.embedded.conftest import wait_for_end

ROOT = Path(__file__).resolve().parents[2]


def write(share: Embedded, value: int) -> None:
    with psycopg.connect(share.conninfo) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS written (value int)")
        connection.execute("INSERT INTO written VALUES (%s)", [value])


def was_written(share: Embedded, value: int) -> bool:
    with psycopg.connect(share.conninfo) as connection:
        return connection.execute("SELECT 1 FROM written WHERE value = %s", [value]).fetchone() is not None


@pytest.fixture
def kill() -> Callable[[int], None]:
    def kill_and_wait(pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        wait_for_end(pid)

    return kill_and_wait


def watcher_of(home: Path) -> int:
    return int((home / "postgres" / "watcher.lock").read_text())


def test_the_server_stops_soon_after_its_only_user_was_killed(
    warm_home: Path, start_user: Callable[[Path], Any]
) -> None:
    owner = start_user(warm_home)
    server = owner.joined()
    owner.kill()
    wait_for_end(server)


def test_the_server_outlives_the_process_that_started_it_while_others_use_it(
    warm_home: Path, start_user: Callable[[Path], Any]
) -> None:
    owner = start_user(warm_home)
    pid = owner.joined()
    with embedded(warm_home) as share:
        owner.kill()
        write(share, 1)
        assert share.postmaster_pid == pid


def test_a_killed_server_comes_back_once_for_all_who_ask(warm_home: Path, kill: Callable[[int], None]) -> None:
    with embedded(warm_home) as share:
        write(share, 2)
        address, killed = share.conninfo, share.postmaster_pid
        kill(killed)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: share.ensure_running(), range(8)))
        assert share.postmaster_pid != killed
        assert share.conninfo == address
        assert was_written(share, 2)


def test_a_killed_server_comes_back_though_one_of_its_backends_is_busy(
    warm_home: Path, kill: Callable[[int], None]
) -> None:
    with embedded(warm_home) as share:
        connection = psycopg.connect(share.conninfo)
        busy = threading.Thread(target=count_for_ever, args=[connection])
        busy.start()
        kill(share.postmaster_pid)
        share.ensure_running()
        busy.join(timeout=60)
        assert not busy.is_alive()
        write(share, 3)


def count_for_ever(connection: psycopg.Connection[object]) -> None:
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT count(*) FROM generate_series(1, 1000000000000)")


@pytest.mark.skipif(sys.platform != "linux", reason="keeping a zombie takes Linux's subreaper")
def test_a_zombie_of_the_server_does_not_prevent_its_return(warm_home: Path) -> None:
    program = """
import ctypes, os, psutil, signal, sys
from pathlib import Path
from embedded import embedded
PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
with embedded(Path(sys.argv[1])) as share:
    killed = psutil.Process(share.postmaster_pid)
    killed.kill()
    share.ensure_running()
    print(killed.status(), share.postmaster_pid != killed.pid)
    share.close(wait=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, warm_home], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["zombie", "True"], done.stderr


def test_a_stale_pid_file_naming_a_strangers_process_is_seen_through(
    warm_home: Path, kill: Callable[[int], None]
) -> None:
    with embedded(warm_home) as share:
        write(share, 4)
        pid_file = share.directory / "data" / "postmaster.pid"
        kill(share.postmaster_pid)
        owner = pid_file.stat()
        # PostgreSQL takes a process of another user for a stranger itself; one of its own user it takes for a server.
        stranger = subprocess.Popen(["sleep", "60"], **({"user": owner.st_uid} if os.geteuid() == 0 else {}))
        try:
            rest = pid_file.read_text().partition("\n")[2]
            pid_file.write_text(f"{stranger.pid}\n{rest}")
            share.ensure_running()
            assert share.postmaster_pid != stranger.pid
            assert was_written(share, 4)
            kill(share.postmaster_pid)
            pid_file.write_text(f"{stranger.pid}\n{rest}")
            share.close(wait=True)
            assert stranger.poll() is None
        finally:
            stranger.send_signal(signal.SIGKILL)
            stranger.wait()


def test_closing_the_last_share_stops_the_server_though_the_watcher_was_killed(
    warm_home: Path, kill: Callable[[int], None]
) -> None:
    share = embedded(warm_home)
    server = share.postmaster_pid
    kill(watcher_of(warm_home))
    share.close()
    wait_for_end(server)


def test_whoever_joins_brings_a_killed_watcher_back(
    warm_home: Path, start_user: Callable[[Path], Any], kill: Callable[[int], None]
) -> None:
    share = embedded(warm_home)
    server = share.postmaster_pid
    kill(watcher_of(warm_home))
    user = start_user(warm_home)
    assert user.joined() == server
    share.close(wait=True)
    user.kill()
    wait_for_end(server)


def test_the_server_of_a_removed_home_stops_with_its_last_user(cold_home: Path) -> None:
    share = embedded(cold_home)
    server = share.postmaster_pid
    elsewhere = share.directory
    shutil.rmtree(cold_home)
    share.close()
    wait_for_end(server)
    shutil.rmtree(elsewhere, ignore_errors=True)
