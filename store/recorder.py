"""The event sourcing library's recorder on our tables, with an append of one round trip."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresProcessRecorder
from psycopg import Connection

from store.columns import Columns
from store.datastore import Datastore

APPEND = "select append_events(" + ", ".join(["%b"] * 36) + ")"


class LogRecorder(PostgresProcessRecorder):
    """Records and selects stored events and tracking; tables come from our migrations, in the library's layout.

    `insert_events` is overridden whole: the library's own takes a table lock that stalls behind every vacuum.
    """

    datastore: Datastore

    def __init__(self, datastore: Datastore) -> None:
        super().__init__(datastore, events_table_name="stored_events", tracking_table_name="notification_tracking")

    def append(self, connection: Connection[Any], columns: Columns) -> int:
        """Record everything in `columns` in one round trip; returns the position of the last event.

        Raises psycopg.errors: UniqueViolation on a version or key in use, SQLSTATE PR001 when a guard has moved on
        or a handled message is not there.
        """
        row = connection.execute(APPEND, columns.parameters(), prepare=True).fetchone()
        assert row is not None
        return int(row["append_events"])

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """The library's door to the same append."""
        columns = Columns()
        for stored in stored_events:
            columns.add_stored(UUID(str(stored.originator_id)), stored.originator_version, stored.topic, stored.state)
        with self.datastore.get_connection() as connection:
            try:
                last = self.append(connection, columns)
            except psycopg.errors.UniqueViolation as error:
                raise IntegrityError(str(error)) from error
        return range(last - len(stored_events) + 1, last + 1)
