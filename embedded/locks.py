"""File locks that the kernel releases when their holder dies, in any way."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import EmbeddedPostgresUnavailable

if sys.platform != "win32":
    import fcntl

_POLL_SECONDS = 0.005


def open_lock(path: Path, *, create: bool = True) -> int:
    """Open a lock file; the caller closes the descriptor, which also releases its locks.

    create: make the file if it does not exist; without it, FileNotFoundError.
    """
    return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)


def wait_exclusive(descriptor: int) -> None:
    """Block, without a deadline, until no other process holds the lock, and hold it exclusively."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)


def wait_shared(descriptor: int) -> None:
    """Block, without a deadline, until no process holds the lock exclusively, and hold it shared."""
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def try_exclusive(descriptor: int) -> bool:
    """Take the lock exclusively if that is possible at once. Returns whether it is held."""
    return _try(descriptor, fcntl.LOCK_EX)


def release(descriptor: int) -> None:
    """Release the lock but keep the file open."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def open_shared(path: Path, deadline: float) -> int:
    """Open the lock file and hold it shared.

    deadline: a `time.monotonic()` instant. Raises EmbeddedPostgresUnavailable when it passes.
    """
    return _open_locked(path, fcntl.LOCK_SH, deadline)


@contextmanager
def exclusive(path: Path, deadline: float) -> Iterator[None]:
    """Hold the lock exclusively within the block.

    deadline: a `time.monotonic()` instant. Raises EmbeddedPostgresUnavailable when it passes.
    """
    descriptor = _open_locked(path, fcntl.LOCK_EX, deadline)
    try:
        yield
    finally:
        os.close(descriptor)


def is_same_file(descriptor: int, path: Path) -> bool:
    """Return whether the open lock file is still the one found at that path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _open_locked(path: Path, operation: int, deadline: float) -> int:
    descriptor = open_lock(path)
    try:
        while not _try(descriptor, operation):
            if time.monotonic() > deadline:
                raise EmbeddedPostgresUnavailable(f"another process has held {path} for too long")
            time.sleep(_POLL_SECONDS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _try(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
