"""Waiting for facts, with one limit for all tests."""

import threading
import time
from collections.abc import Callable

LIMIT_SECONDS = 120.0


def until(condition: Callable[[], object], seconds: float = LIMIT_SECONDS) -> None:
    """Return once `condition` holds; fail after `seconds`."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        pause.wait(0.005)
