"""The watcher: a small process that stops the server about a second after its last user ended, in any way."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import locks
from .cluster import CHILD_ENVIRONMENT
from .launcher import stop
from .place import Locks

_GRACE_SECONDS = 1.0
_PROGRAM = "import sys; from embedded.watcher import watch; watch(sys.argv[1], int(sys.argv[2]))"
# The shell leaves at once, so that the watcher is no child of ours and outlives us. It states the watcher's pid in the
# lock file before it leaves.
_DETACH = 'log=$1 lock=$2; shift 2; "$@" >>"$log" 2>&1 </dev/null & echo $! >"$lock"'


def ensure_watched(places: Locks) -> None:
    """Start a watcher unless one lives; call it under the control lock, before starting a server.

    The watcher inherits its lock already taken, so there is no moment in which two could be started.
    """
    lock = locks.open_lock(places.watcher)
    try:
        if not locks.try_exclusive(lock):
            return
        program = [sys.executable, "-P", "-S", "-c", _PROGRAM, str(places.root), str(lock)]
        subprocess.run(
            ["/bin/sh", "-c", _DETACH, "sh", str(places.root / "watcher.log"), str(places.watcher), *program],
            cwd="/",
            env={**CHILD_ENVIRONMENT, "PYTHONPATH": _import_path()},
            stdin=subprocess.DEVNULL,
            check=True,
            umask=0o077,
            start_new_session=True,
            pass_fds=[lock],
        )
    finally:
        os.close(lock)


def watch(root: str, lock: int) -> None:
    """Wait until the server has no users, stop it, and end.

    root: the directory of the locks. lock: the inherited descriptor of the watcher's lock, already held; a new watcher
    can be started as soon as it is closed, which happens before the control lock is released.
    """
    places = Locks(Path(root))
    data = places.server.resolve() / "data"
    users = locks.open_lock(places.users)
    stopped = False
    while not stopped:
        locks.wait_exclusive(users)
        # Release it at once: a starter holds the control lock while it waits for this one.
        locks.release(users)
        time.sleep(_GRACE_SECONDS)
        stopped = stop_if_unused(places, data, users, lock)


def stop_if_unused(places: Locks, data: Path, users: int, watcher: int | None = None) -> bool:
    """Stop the server of `data` unless it is in use. Returns whether it was unused.

    users: an open descriptor of the users' lock that holds nothing. watcher: closed before others may start again.
    """
    with _control(places):
        if locks.is_same_file(users, places.users):
            if not _lock_if_unused(users):
                return False
            stop(data)
        elif places.server.resolve() / "data" != data or not data.exists():
            stop(data)  # the home was removed, with our locks; a new home at its place would watch this path itself
        if watcher is not None:
            os.close(watcher)
        locks.release(users)
        return True


def _lock_if_unused(users: int) -> bool:
    """Take the users' lock exclusively unless the server is in use; call it under the control lock."""
    if locks.try_exclusive(users):
        return True
    # The watcher may hold it for the moment of its own check: let that pass and try again.
    locks.wait_shared(users)
    if locks.try_exclusive(users):
        return True
    locks.release(users)
    return False


@contextmanager
def _control(places: Locks) -> Iterator[None]:
    """Hold the control lock, unless the home was removed: then there is none, and none must be created in it."""
    try:
        control = locks.open_lock(places.control, create=False)
    except FileNotFoundError:
        yield
        return
    try:
        locks.wait_exclusive(control)
        yield
    finally:
        os.close(control)


def _import_path() -> str:
    """Return the directory of our modules, so that a child finds the same ones, however this process was started."""
    root = Path(__file__).resolve().parents[1]
    return os.pathsep.join([*(os.path.abspath(entry) for entry in sys.path), str(root)])
