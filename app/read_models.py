"""The read models and lists that can be rebuilt from the log and verified, by name."""

from typing import Any, Protocol

from projections import ALL
from projections.projection import Projection
from projections.rebuilding import rebuild
from projections.verifying import verify
from store.archive.verifying import ArchiveProof
from store.datastore import Datastore
from store.lists.kept import Rebuilt, Verified
from store.lists.registry import LISTS
from store.progress import Progress
from store.streams import StreamsWithoutHoles


class Verifiable(Protocol):
    """A set of tables that can be verified. progress: called with the events done, and all events."""

    @property
    def name(self) -> str:
        """The name that operators use."""

    def verify(self, datastore: Datastore, progress: Progress) -> Verified:
        """Compare it with a copy that is built aside, or with its own rule; change nothing."""


class ReadModel(Verifiable, Protocol):
    """A set of tables that can be rebuilt from the log, too."""

    def rebuild(self, datastore: Datastore, progress: Progress) -> Rebuilt:
        """Build it anew. Raises RebuildRunning while another process rebuilds it."""


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
VERIFIABLE: tuple[Verifiable, ...] = (*READ_MODELS, StreamsWithoutHoles(), ArchiveProof())
"""Everything that can be verified: the log itself, too."""
