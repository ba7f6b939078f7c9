"""The library's datastore over our connections."""

from eventsourcing.postgres import PostgresDatastore

from store.connections import BY_INDEX, NAME, Connections, OwnConnection, Revive, connection_parameters
from store.epochs import LogEpochs

__all__ = ["BY_INDEX", "Datastore", "OwnConnection", "connection_parameters"]


class Datastore(Connections, PostgresDatastore):  # type: ignore[misc] # one pool for both
    """Connections for the library's recorders. Queries need `Connections` only, and start without the library."""

    def __init__(
        self,
        dsn: str,
        *,
        pool_size: int = 10,
        revive: Revive = lambda: None,
        name: str = NAME,
        primary: LogEpochs | None = None,
    ) -> None:
        PostgresDatastore.__init__(self, "", "", "", "", "", pool_size=1)
        Connections.__init__(self, dsn, pool_size=pool_size, revive=revive, name=name, primary=primary)

    def register_type_adapters(self) -> None:
        """Register none: arrays are sent in the wire format."""
