"""Everything that can be dropped and built again from the log, by the name an operator gives it."""

from collections.abc import Callable
from typing import Any, Protocol

import projections.due_steps as due_steps
from projections import ALL
from projections.projection import Projection
from projections.rebuilding import Rebuilt, rebuild
from projections.verifying import Verified, verify
from store.datastore import Datastore

Progressing = Callable[[int, int], None]


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


class _DueSteps:
    """The to-do list of workers, which the append itself keeps."""

    name = "due_steps"

    def rebuild(self, datastore: Datastore, progress: Progressing) -> Rebuilt:
        return due_steps.rebuild(datastore, progress)

    def verify(self, datastore: Datastore, progress: Progressing) -> Verified:
        return due_steps.verify(datastore, progress)


READ_MODELS: tuple[ReadModel, ...] = (*map(_Projected, ALL), _DueSteps())
