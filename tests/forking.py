"""Processes that begin where imports end: one process imports Procession once, and forks for each of them."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

PROGRAM = """
import gc, importlib, json, os, pkgutil, resource, select, signal, sys
from app.cli import main

ROOMS = "api app commands edge embedded gateway projections queries scheduler store web"
for room in ROOMS.split():
    package = importlib.import_module(room)
    for module in pkgutil.walk_packages(package.__path__, room + "."):
        importlib.import_module(module.name)

waking, waker = os.pipe()
os.set_blocking(waking, False)
os.set_blocking(waker, False)
signal.set_wakeup_fd(waker)
signal.signal(signal.SIGCHLD, lambda *_: None)
gc.collect()
gc.freeze()


def begin(order):
    child = os.fork()
    if child:
        return child
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for there, here in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(there, here)
    for descriptor in (nothing, output, waking, waker):
        os.close(descriptor)
    if order["address_space"]:
        resource.setrlimit(resource.RLIMIT_AS, (order["address_space"],) * 2)
    os.environ.clear()
    os.environ.update(order["environment"])
    if order["prepared_by"]:
        importlib.import_module(order["prepared_by"]).prepare()
    sys.argv = ["procession", *order["arguments"]]
    sys.exit(main())


def ended():
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0, 0


received = b""
while True:
    ready, _, _ = select.select([0, waking], [], [])
    if waking in ready:
        os.read(waking, 4096)
        while (child := ended())[0]:
            os.write(1, b"%d %d\\n" % (child[0], os.waitstatus_to_exitcode(child[1])))
    if 0 in ready:
        chunk = os.read(0, 65536)
        if not chunk:
            break
        *orders, received = (received + chunk).split(b"\\n")
        for order in orders:
            os.write(1, b"%d\\n" % begin(json.loads(order)))
"""


class Forked:
    """A process that was forked, with the methods of `Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = threading.Event()

    def end(self, returncode: int) -> None:
        """Note that the process has ended."""
        self.returncode = returncode
        self._ended.set()

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code at the end of the process. Raises TimeoutExpired."""
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Forking:
    """The process that forks. Its children are processes like others, which can be ended and killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._begun: dict[int, Forked] = {}
        self._changed = threading.Condition()
        self._last: Forked | None = None
        threading.Thread(target=self._follow, daemon=True).start()

    def fork(self, order: Mapping[str, object]) -> Forked:
        """Carry out an order of `fork`."""
        assert self._process.stdin is not None
        with self._changed:
            self._last = None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            assert self._changed.wait_for(lambda: self._last, 120), "the process that forks does not answer"
            assert self._last is not None
            return self._last

    def _follow(self) -> None:
        """Read which processes have begun, and which have ended."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            pid, *code = map(int, line.split())
            with self._changed:
                if code:
                    self._begun.pop(pid).end(code[0])
                else:
                    self._last = self._begun[pid] = Forked(pid)
                    self._changed.notify_all()


@cache
def _forking() -> Forking:
    """Return the process that forks for this test process; it ends with it."""
    return Forking()


def fork(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    output: Path,
    *,
    address_space: int | None = None,
    prepared_by: str | None = None,
) -> Forked:
    """Run `procession` with the arguments; append what it writes to `output`.

    address_space: at most, in bytes. prepared_by: a module whose `prepare` the process calls first.
    """
    output.touch()
    order = {
        "arguments": list(arguments),
        "environment": dict(environment),
        "output": str(output),
        "address_space": address_space,
        "prepared_by": prepared_by,
    }
    return _forking().fork(order)
