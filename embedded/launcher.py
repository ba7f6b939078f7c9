"""Starting and stopping the server; everything here is called under the control lock."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from .binaries import Binaries, binaries_for
from .cluster import CHILD_ENVIRONMENT, LockFile, configure, disown_lock_files, initialise, read_lock_file
from .errors import EmbeddedPostgresUnavailable
from .place import ServerPlace, socket_directory
from .processes import end_orphans, find_postmaster, is_alive, is_postmaster

_POLL_SECONDS = 0.01
_LOG_BYTES_KEPT = 10_000_000
# Backends of a killed postmaster hold its shared memory until they notice its end; until then a new one is refused.
_PASSING_REFUSAL = "is still in use"
# Fast shutdown writes everything out; immediate leaves that to crash recovery; a kill is for a server that hangs.
_SHUTDOWN_STEPS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
# The shell leaves at once, so the server is no child of ours: no zombie when it dies, no signal from our terminal.
_DETACH = 'log=$1; shift; exec 2>>"$log"; "$@" >>"$log" </dev/null & echo $!'


def running(place: ServerPlace) -> LockFile | None:
    """Return the lock file of the live, ready server of this place; None when there is none."""
    lock_file = read_lock_file(place.data)
    if lock_file is None or not lock_file.is_ready or not is_postmaster(lock_file.pid, place.data):
        return None
    return lock_file


def ensure_started(place: ServerPlace, settings: Mapping[str, str], deadline: float) -> LockFile:
    """Join the live server, or make its files as needed and start it; return once it accepts connections.

    deadline: a `time.monotonic()` instant. Raises EmbeddedPostgresUnavailable with the server's own words when it does
    not start.
    """
    if (ready := running(place)) is not None:
        return ready
    binaries = binaries_for(place.account, place.server.parent)
    initialise(place, binaries)
    pid, log_start = None, None
    while (ready := running(place)) is None:
        if pid is None or not is_postmaster(pid, place.data):
            pid = find_postmaster(place.data)
        if pid is None:
            if log_start is not None and _PASSING_REFUSAL not in _words(place, log_start):
                raise EmbeddedPostgresUnavailable(f"the server does not start: {_words(place, log_start)}")
            log_start = _log_size(place)
            pid = _start(place, binaries, settings)
        if time.monotonic() > deadline:
            raise EmbeddedPostgresUnavailable(f"the server took too long to start: {_words(place, log_start or 0)}")
        time.sleep(_POLL_SECONDS)
    return ready


def stop(data: Path) -> None:
    """Stop the server of a data directory and return when it is gone; no signal goes to any other process."""
    for step, patience in _SHUTDOWN_STEPS:
        if (pid := find_postmaster(data)) is None:
            return
        try:
            os.kill(pid, step)
        except ProcessLookupError:
            return
        until = time.monotonic() + patience
        while is_postmaster(pid, data) and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)


def _start(place: ServerPlace, binaries: Binaries, settings: Mapping[str, str]) -> int:
    directory = socket_directory(place)
    configure(place, directory, settings)
    end_orphans(place.data)
    disown_lock_files(place, directory)
    command = ["/bin/sh", "-c", _DETACH, "sh", str(place.log), str(binaries.postgres), "-D", str(place.data)]
    done = subprocess.run(
        command,
        cwd="/",
        env=CHILD_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        umask=0o077,
        check=False,
        start_new_session=True,
        **place.account.identity,
    )
    if not done.stdout.strip().isdecimal():
        raise EmbeddedPostgresUnavailable(f"the server does not start: {done.stderr.strip()}")
    pid = int(done.stdout)
    # Until the shell's child has become the server, a search would miss it and a second one would be started.
    while is_alive(pid) and not is_postmaster(pid, place.data):
        time.sleep(_POLL_SECONDS / 10)
    return pid


def _log_size(place: ServerPlace) -> int:
    """Return the size of the log, at which the next start's messages begin; put a log grown too large aside first."""
    if not place.log.exists():
        return 0
    if (size := place.log.stat().st_size) <= _LOG_BYTES_KEPT:
        return size
    place.log.replace(place.log.with_suffix(".log.old"))
    return 0


def _words(place: ServerPlace, log_start: int) -> str:
    """Return the end of the server's log from that offset on, on one line."""
    if not place.log.exists():
        return "it wrote no log"
    with place.log.open("rb") as file:
        file.seek(max(log_start, file.seek(0, os.SEEK_END) - 2000))
        lines = file.read().decode(errors="replace").splitlines()
    return f"{' | '.join(lines[-4:])} (see {place.log})"
