"""Everything that can be dropped and built again from the log, by the name an operator gives it."""

from collections.abc import Callable
from typing import Any, Protocol

from projections import ALL, admissions, due_steps, due_timers, families, outbox
from projections.projection import Projection
from projections.rebuilding import Rebuilt, rebuild
from projections.verifying import Verified, verify
from store.datastore import Datastore

Progressing = Callable[[int, int], None]
Rebuild = Callable[[Datastore, Progressing], Rebuilt]
Verify = Callable[[Datastore, Progressing], Verified]


class ReadModel(Protocol):
    """Can be rebuilt and verified; progress is told in (done, total) events."""

    @property
    def name(self) -> str:
        """As an operator calls it."""

    def rebuild(self, datastore: Datastore, progress: Progressing) -> Rebuilt:
        """Build it anew. Raises RebuildRunning when somebody else does."""

    def verify(self, datastore: Datastore, progress: Progressing) -> Verified:
        """Compare it with one built aside; changes nothing."""


class _Projected:
    """A projection."""

    def __init__(self, projection: Projection[Any]) -> None:
        self._projection = projection
        self.name = projection.name

    def rebuild(self, datastore: Datastore, progress: Progressing) -> Rebuilt:
        return rebuild(datastore, self._projection, progress)

    def verify(self, datastore: Datastore, progress: Progressing) -> Verified:
        return verify(datastore, self._projection, progress)


class _ToDoList:
    """A list that the append itself keeps. rebuild and verify: those of the list's own module."""

    def __init__(self, name: str, rebuild: Rebuild, verify: Verify) -> None:
        self.name = name
        self.rebuild = rebuild
        self.verify = verify


READ_MODELS: tuple[ReadModel, ...] = (
    *map(_Projected, ALL),
    _ToDoList("due_steps", due_steps.rebuild, due_steps.verify),
    _ToDoList("due_timers", due_timers.rebuild, due_timers.verify),
    _ToDoList("outbox", outbox.rebuild, outbox.verify),
    _ToDoList("admissions", admissions.rebuild, admissions.verify),
    _ToDoList("families", families.rebuild, families.verify),
)
