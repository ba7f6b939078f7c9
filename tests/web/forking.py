"""Servers that begin where imports end: one process imports Procession once, and forks for each of them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import psutil

PROGRAM = """
import json, os, signal, sys
import api.app, app.cli.serving, app.serving, app.settings_in_force, edge.hosts, scheduler.bells, scheduler.worker
from app.cli import main

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for there, here in ((nothing, 0), (os.open(order["output"], os.O_WRONLY), 1), (nothing, 2)):
            os.dup2(there, here)
        os.environ.clear()
        os.environ.update(order["environment"])
        sys.argv = ["procession", *order["arguments"]]
        main()
    print(child, flush=True)
"""


class Forking:
    """The process that forks. Its children are processes like others, which can be ended and killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[psutil.Process, BinaryIO]:
        """Run `procession` with the arguments; return its process, and what it writes."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with TemporaryDirectory() as directory:
            output = Path(directory) / "output"
            os.mkfifo(output)
            order = {"arguments": arguments, "environment": dict(environment), "output": str(output)}
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            process = psutil.Process(int(self._process.stdout.readline()))
            return process, output.open("rb")


@cache
def forking() -> Forking:
    """Return the process that forks for this test process; it ends with it."""
    return Forking()
