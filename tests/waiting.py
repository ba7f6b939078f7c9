"""Waiting for facts, with one limit for all tests."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

LIMIT_SECONDS = 120.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.005, 0.05

T = TypeVar("T")


def until(condition: Callable[[], object], seconds: float = LIMIT_SECONDS) -> None:
    """Return once `condition` holds; fail after `seconds`.

    The longer it waits, the longer it pauses: each check takes processor time from the work that it waits for.
    """
    begun, pause = time.monotonic(), threading.Event()
    while not condition():
        waited = time.monotonic() - begun
        assert waited < seconds, "waited in vain"
        pause.wait(min(max(waited / 20, SHORTEST_PAUSE), LONGEST_PAUSE))


def patiently(act: Callable[[], T], *failures: type[Exception]) -> T:
    """Return what `act` returns once it does not fail with one of `failures`; fail as it does after the limit."""
    begun, pause = time.monotonic(), threading.Event()
    while True:
        try:
            return act()
        except failures:
            if time.monotonic() - begun > LIMIT_SECONDS:
                raise
        pause.wait(LONGEST_PAUSE)
