"""Appending while deciding: one batch is on its way to the database while the next is being decided."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from store.log import Log, Outcome
from store.unit import Unit

DEPTH = 2

W = TypeVar("W")


class Appended(msgspec.Struct, Generic[W]):
    """Work that was submitted, and what came of its units; or the error that nobody foresaw."""

    work: W
    outcomes: list[Outcome]
    error: BaseException | None = None


class Pipeline(Generic[W]):
    """A thread that appends what is submitted, in order, and hands each result to `done` from that thread.

    outstanding: how many submissions `done` has not been told of yet, as their submitter counts them.
    """

    def __init__(self, log: Log, done: Callable[[Appended[W]], None]) -> None:
        self._log = log
        self._done = done
        self._waiting: queue.SimpleQueue[tuple[W, Sequence[Unit]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="appender", daemon=True)

    def start(self) -> None:
        """Begin to append."""
        self._thread.start()

    def stop(self) -> None:
        """End after what has been submitted."""
        self._waiting.put(None)
        self._thread.join()

    def submit(self, work: W, units: Sequence[Unit]) -> None:
        """Append `units` when everything submitted before is appended."""
        self._waiting.put((work, units))

    def _run(self) -> None:
        while (submitted := self._waiting.get()) is not None:
            work, units = submitted
            try:
                appended = Appended(work, self._log.append_all(units))
            except BaseException as error:  # noqa: BLE001 - raised again by whoever submitted it
                appended = Appended(work, [], error)
            self._done(appended)
