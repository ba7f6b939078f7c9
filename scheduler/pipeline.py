"""Appending while deciding: one batch is on its way to the database while the next is being decided."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from store.unit import Unit
from store.waiting_units import Outcome

DEPTH = 2

W = TypeVar("W")
Submitted = TypeVar("Submitted", contravariant=True)


class Appended(msgspec.Struct, Generic[W]):
    """Submitted work, and the outcomes of its units; or the unforeseen error."""

    work: W
    outcomes: list[Outcome]
    error: BaseException | None = None


class Appender(Protocol[Submitted]):
    """Appends units, at once or in the order in which they were submitted."""

    def start(self) -> None:
        """Begin to append."""

    def stop(self) -> None:
        """End after the last units submitted."""

    def append_all(self, units: Sequence[Unit]) -> list[Outcome]:
        """Append units now; return the position of each, or why it was not recorded."""

    def submit(self, work: Submitted, units: Sequence[Unit]) -> None:
        """Append `units` when everything submitted before is appended."""


class AppendsUnits(Protocol):
    """The part of the log that appends."""

    def append_all(self, units: Sequence[Unit]) -> list[Outcome]:
        """Append units; return the position of each, or why it was not recorded."""


class Pipeline(Generic[W]):
    """Implements `Appender` with a thread that hands each result to `done`, from that thread."""

    def __init__(self, log: AppendsUnits, done: Callable[[Appended[W]], None]) -> None:
        self._log = log
        self._done = done
        self._waiting: queue.SimpleQueue[tuple[W, Sequence[Unit]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="appender", daemon=True)

    def start(self) -> None:
        """Begin to append."""
        self._thread.start()

    def stop(self) -> None:
        """End after the last units submitted."""
        self._waiting.put(None)
        self._thread.join()

    def append_all(self, units: Sequence[Unit]) -> list[Outcome]:
        """Append units now, on the caller's thread."""
        return self._log.append_all(units)

    def submit(self, work: W, units: Sequence[Unit]) -> None:
        """Append `units` when everything submitted before is appended."""
        self._waiting.put((work, units))

    def _run(self) -> None:
        while (submitted := self._waiting.get()) is not None:
            work, units = submitted
            try:
                appended = Appended(work, self._log.append_all(units))
            except BaseException as error:  # noqa: BLE001 - the thread that submitted it raises it again
                appended = Appended(work, [], error)
            self._done(appended)
