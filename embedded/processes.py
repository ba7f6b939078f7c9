"""The postmaster of a data directory, identified by its command line and not by a number in a file."""

import contextlib
import signal
import time
from pathlib import Path

import psutil

_ORPHAN_PATIENCE_SECONDS = 2.0
_POLL_SECONDS = 0.01


def is_alive(pid: int) -> bool:
    """Return whether a process with this pid runs; a zombie does not."""
    return bool(_command(pid))


def is_postmaster(pid: int, data: Path) -> bool:
    """Return whether a live process (a zombie is not) with this pid was started as the server of `data`."""
    command = _command(pid)
    return len(command) == 3 and Path(command[0]).name == "postgres" and command[1:] == ["-D", str(data)]


def find_postmaster(data: Path) -> int | None:
    """Search all processes for the postmaster of `data`; None when there is none."""
    found = [pid for pid in psutil.pids() if is_postmaster(pid, data)]
    # A child has its parent's command line until it sets its own title; the postmaster came first.
    return min(found, key=_age_order, default=None)


def end_orphans(data: Path) -> None:
    """End the processes that a killed postmaster left behind; call it only when no postmaster of `data` lives.

    A backend busy with a query does not notice that its postmaster died, and as long as it holds the shared memory
    PostgreSQL refuses to start. Their working directory distinguishes them from other processes.
    """
    orphans = [process for process in psutil.process_iter() if _works_in(process, data)]
    for step in (signal.SIGQUIT, signal.SIGKILL):
        for process in orphans:
            with contextlib.suppress(psutil.Error):
                process.send_signal(step)  # psutil makes sure that the pid was not given to another process meanwhile
        until = time.monotonic() + _ORPHAN_PATIENCE_SECONDS
        # psutil's own wait would last until the parent of a zombie has reaped it.
        while (orphans := [process for process in orphans if _works_in(process, data)]) and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)


def _works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return process.name() == "postgres" and process.cwd() == str(data)
    except psutil.Error:
        return False


def _command(pid: int) -> list[str]:
    """Return the arguments a live process was started with; empty when it is dead or inaccessible."""
    try:
        process = psutil.Process(pid)
        return [] if process.status() == psutil.STATUS_ZOMBIE else process.cmdline()
    except psutil.Error:
        return []


def _age_order(pid: int) -> tuple[float, int]:
    try:
        return psutil.Process(pid).create_time(), pid
    except psutil.Error:
        return float("inf"), pid
