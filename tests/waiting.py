"""Waiting for facts, with one limit for all tests."""

import threading
import time
from collections.abc import Callable

LIMIT_SECONDS = 120.0


def until(condition: Callable[[], object]) -> None:
    """Return once `condition` holds; fail after two minutes."""
    deadline, pause = time.monotonic() + LIMIT_SECONDS, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        pause.wait(0.005)
