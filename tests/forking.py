"""Processes that begin where imports end: one process imports Procession once, and forks for each of them."""

import gc
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("api", "app", "commands", "edge", "embedded", "gateway", "projections", "queries", "scheduler", "store", "web")
FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(
    [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for room in ROOMS
        for file in sorted((ROOT / room).rglob("*.py"))
        if not file.stem.startswith("__")
    ]
)
# A thread that starts a process reads the ends of all others.
_READING = threading.Lock()


class Forked:
    """A process that was forked, with the methods of `Popen`."""

    def __init__(self, process: BaseProcess) -> None:
        with _READING:
            process.start()
        assert process.pid is not None
        self.pid: int = process.pid
        self.terminate, self.kill = process.terminate, process.kill
        self._process = process

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""
        with _READING:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code at the end of the process. Raises TimeoutExpired."""
        connection.wait([self._process.sentinel], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return code


def fork(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    output: Path,
    prepare: Callable[[], object] | None = None,
) -> Forked:
    """Run `procession` with the arguments; append what it writes to `output`. prepare: what the process calls first."""
    output.touch()
    order = (tuple(arguments), dict(environment), output, prepare)
    return Forked(FORKING.Process(target=_run, args=order, daemon=True))


def _run(
    arguments: tuple[str, ...], environment: dict[str, str], output: Path, prepare: Callable[[], object] | None
) -> None:
    gc.freeze()
    with output.open("ab") as words:
        for descriptor in (1, 2):
            os.dup2(words.fileno(), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    if prepare is not None:
        prepare()
    sys.argv = ["procession", *arguments]
    from app.cli import main

    main()
