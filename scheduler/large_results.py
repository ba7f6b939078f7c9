"""Large results for the gateway of a worker: stored before the event that refers to them, read before a call."""

from uuid import UUID

from domain import large_results
from domain.large_results import LargeResult
from store import large_results as stored
from store.datastore import Datastore


class StoredLargeResults:
    """Implements `KeepsLargeResults` on the database."""

    def __init__(self, datastore: Datastore, key: bytes, most: int) -> None:
        self._datastore = datastore
        self.key = key
        self.most = most

    def keep(self, execution: UUID, content: bytes) -> LargeResult:
        """Store a JSON text; return the reference to it. Raises Outage."""
        reference = large_results.refer(self.key, execution, content)
        with self._datastore.reading() as connection:
            stored.keep(connection, execution, bytes.fromhex(reference.digest), content)
        return reference

    def read(self, reference: LargeResult) -> bytes | None:
        """Return the JSON text of a reference; None if it was dropped. Raises Outage."""
        with self._datastore.reading() as connection:
            return stored.read(connection, reference.execution, bytes.fromhex(reference.digest))
