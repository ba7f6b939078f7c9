"""Everything that can be dropped and built again from the log, by the name an operator gives it."""

from typing import Any, Protocol

from projections import ALL
from projections.projection import Projection
from projections.rebuilding import rebuild
from projections.verifying import verify
from store.datastore import Datastore
from store.lists.kept import Rebuilt, Verified
from store.lists.registry import LISTS
from store.progress import Progress


class ReadModel(Protocol):
    """Can be rebuilt and verified; progress is told in (done, total) events."""

    @property
    def name(self) -> str:
        """As an operator calls it."""

    def rebuild(self, datastore: Datastore, progress: Progress) -> Rebuilt:
        """Build it anew. Raises RebuildRunning when somebody else does."""

    def verify(self, datastore: Datastore, progress: Progress) -> Verified:
        """Compare it with one built aside; changes nothing."""


class _Projected:
    """A projection."""

    def __init__(self, projection: Projection[Any]) -> None:
        self._projection = projection
        self.name = projection.name

    def rebuild(self, datastore: Datastore, progress: Progress) -> Rebuilt:
        return rebuild(datastore, self._projection, progress)

    def verify(self, datastore: Datastore, progress: Progress) -> Verified:
        return verify(datastore, self._projection, progress)


READ_MODELS: tuple[ReadModel, ...] = (*map(_Projected, ALL), *LISTS)
