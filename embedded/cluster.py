"""The data directory: made once by initdb, configured by our own file, guarded by `postmaster.pid`."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .accounts import Account
from .binaries import Binaries
from .errors import EmbeddedPostgresUnavailable
from .place import ServerPlace, write_file

SUPERUSER = "postgres"
PORT = 5432
# Children get nothing of our environment: no PG… variables that would redirect them, no secrets.
CHILD_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}

_SETTINGS_FILE = "procession.conf"
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    # An acknowledged commit survives a crash of the machine.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Few, spread checkpoints: each makes the next write of every page a full one.
    "wal_compression": "on",
    "wal_buffers": "16MB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    # Rows of queue tables are inserted and deleted at the rate of the work: vacuum often and without long pauses.
    "autovacuum_naptime": "10s",
    "autovacuum_vacuum_scale_factor": "0.1",
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_vacuum_cost_limit": "2000",
    # Short statements: compiling them costs more than it gains; the disk is no spinning one.
    "jit": "off",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The log is about the server; statements, and the values in their errors, stay out of it.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
_SETTING_NAME = re.compile(r"[a-z_][a-z0-9_.]*")
# Above any pid that a system assigns, so PostgreSQL's own check finds the owner of the file dead.
_IMPOSSIBLE_PID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class LockFile:
    """The content of `postmaster.pid`: the postmaster, its address, its progress."""

    pid: int
    socket_directory: Path
    status: str

    @property
    def is_ready(self) -> bool:
        return self.status == "ready"


def initialise(place: ServerPlace, binaries: Binaries) -> None:
    """Create the data directory if it does not exist: under another name first, so that it is complete or absent.

    Raises EmbeddedPostgresUnavailable when initdb fails, or when existing data is of another major version.
    """
    if place.data.exists():
        _check_version(place.data, binaries)
        return
    for leftover in place.server.glob("init-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(dir=place.server, prefix="init-"))
    place.account.give(unfinished)
    _run_initdb(unfinished, binaries, place.account)
    configuration = os.open(unfinished / "postgresql.conf", os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
    with os.fdopen(configuration, "a") as file:
        file.write(f"\ninclude = '{_SETTINGS_FILE}'\n")
        file.flush()
        os.fsync(configuration)
    unfinished.rename(place.data)
    _sync_directory(place.server)


def configure(place: ServerPlace, socket_directory: Path, settings: Mapping[str, str]) -> None:
    """Write the settings the next start reads; `settings` are added to ours and win over them.

    Raises ValueError for a name that cannot be a setting's.
    """
    merged = {**_SETTINGS, "unix_socket_directories": str(socket_directory), **settings}
    lines = ["# Written anew at every start of the server."]
    for name, value in merged.items():
        if not _SETTING_NAME.fullmatch(name) or "\n" in value:
            raise ValueError(f"not a PostgreSQL setting: {name!r} = {value!r}")
        quoted = value.replace("\\", "\\\\").replace("'", "''")
        lines.append(f"{name} = '{quoted}'")
    write_file(place.data / _SETTINGS_FILE, "\n".join(lines) + "\n", place.account)


def read_lock_file(data: Path) -> LockFile | None:
    """Read `postmaster.pid`; None when there is none or it is not written completely yet."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < 8 or not lines[0].strip().isdecimal():
        return None
    return LockFile(int(lines[0]), Path(lines[4]), lines[7].strip())


def disown_lock_files(place: ServerPlace, socket_directory: Path) -> None:
    """Make the lock files of a dead server harmless; call it only when no postmaster of this directory lives.

    A zombie, or a stranger that was given the dead server's pid, seems alive to PostgreSQL, which then does not start.
    The file in the data directory keeps its other lines: by them PostgreSQL finds out whether a backend of the dead
    server still has its shared memory, and that check must not be lost with the file.
    """
    file = place.data / "postmaster.pid"
    try:
        lines = file.read_text().splitlines(keepends=True)
    except FileNotFoundError:
        lines = []
    if len(lines) >= 7:
        write_file(file, "".join([f"{_IMPOSSIBLE_PID}\n", *lines[1:]]), place.account)
    elif lines or file.exists():
        file.unlink()  # written in part by a server that died before it had any shared memory
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (socket_directory / name).unlink(missing_ok=True)


def _check_version(data: Path, binaries: Binaries) -> None:
    found = (data / "PG_VERSION").read_text().strip()
    if found != binaries.major:
        raise EmbeddedPostgresUnavailable(
            f"the data in {data} is of PostgreSQL {found} and the installed programs are of {binaries.major}; "
            "install the package version that matches the data, or move the data away"
        )


def _run_initdb(directory: Path, binaries: Binaries, account: Account) -> None:
    command = [str(binaries.initdb), "-D", str(directory), "-U", SUPERUSER]
    # `trust` is safe because only the owner of the socket's directory, mode 0700, and root can reach the server.
    command += ["--auth=trust", "--encoding=UTF8", "--no-instructions"]
    # PostgreSQL's own C.UTF-8: the same order and letters on every system, whatever its C library has.
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    done = subprocess.run(
        command,
        cwd="/",
        env=CHILD_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        start_new_session=True,
        **account.identity,
    )
    if done.returncode != 0:
        shutil.rmtree(directory, ignore_errors=True)
        raise EmbeddedPostgresUnavailable(f"initdb failed in {directory.parent}: {done.stderr.strip()}")


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
