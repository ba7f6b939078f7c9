"""The real worker's appending on the simulated log: batches are on their way for a while, and arrive in their order."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from scheduler.appending import Appending, Work
from scheduler.pipeline import Appended
from store.log import Outcome
from store.unit import Unit

if TYPE_CHECKING:
    from simulated_worker import Worker


class SimulatedAppending(Appending):
    """Everything but the log and the thread is the real one's."""

    def __init__(self, worker: "Worker", arrived: Callable[[Appended[Work]], None]) -> None:
        log: Any = _Log(worker)
        super().__init__(log, worker.states, worker.recorded, arrived)
        self._pipeline: Any = _Pipeline(worker, log, arrived)


class _Log:
    """The worker may die before and after it records something."""

    def __init__(self, worker: "Worker") -> None:
        self._worker = worker

    def append_all(self, units: Sequence[Unit]) -> list[Outcome]:
        self._worker.touch()
        outcomes = self._worker.world.store.append_all(units)
        self._worker.touch()
        return outcomes


class _Pipeline:
    """What is submitted is appended a little later."""

    def __init__(self, worker: "Worker", log: _Log, done: Callable[[Appended[Work]], None]) -> None:
        self._worker = worker
        self._log = log
        self._done = done
        self._waiting: deque[tuple[Work, Sequence[Unit]]] = deque()

    def submit(self, work: Work, units: Sequence[Unit]) -> None:
        self._waiting.append((work, units))
        world = self._worker.world
        world.later(world.random.choice([0, 0.01, 0.3]), lambda: self._worker.awake(self._append_next))

    def _append_next(self) -> None:
        work, units = self._waiting.popleft()
        self._done(Appended(work, self._log.append_all(units)))
