"""The event sourcing library's recorder on our tables, with an append of one round trip."""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresProcessRecorder
from psycopg import Connection

from store.columns import Columns
from store.datastore import Datastore
from store.listening import LOG_CHANNEL
from store.lists.kept import Arguments
from store.unit import EpochOver

APPEND_ARGUMENTS = 12
MOVED_ON, MISSING, NO_SLOT, EPOCH_OVER = "PR001", "PR002", "PR003", "PR004"
"""The SQLSTATEs of appends that rest on a stream that has moved on, on events that the log lacks, on a slot that is
taken, on an older epoch."""


@cache
def append_statement(moving: tuple[tuple[str, int], ...]) -> str:
    """Return the statement that appends, then calls these functions (name, number of arguments), and notifies once.

    Each function gets the position that the append returned, so PostgreSQL calls none before the append has run.
    There are few combinations of lists, and each statement is prepared once a connection.
    """
    lists = "".join(
        f" cross join lateral {function}(appended.position{', %b' * arguments}) as moved{n}(words)"
        for n, (function, arguments) in enumerate(moving)
    )
    words = "".join(f", moved{n}.words" for n in range(len(moving)))
    return (
        f"select appended.position, pg_notify('{LOG_CHANNEL}', concat_ws(' ', null{words}))"
        f" from append_events_v3(%s, %s, {', '.join(['%b'] * APPEND_ARGUMENTS)}) as appended(position){lists}"
    )


class LogRecorder(PostgresProcessRecorder):
    """Records and selects stored events and tracking; tables come from our migrations, in the library's layout.

    `insert_events` is overridden whole: the library's own takes a table lock that stalls behind every vacuum.
    """

    datastore: Datastore

    def __init__(self, datastore: Datastore) -> None:
        super().__init__(datastore, events_table_name="stored_events", tracking_table_name="notification_tracking")

    def append(self, connection: Connection[Any], columns: Columns, epoch: str | None = None) -> int:
        """Record everything in `columns` in one round trip; return the position of the last event.

        epoch: of the log that the units rest on; default: that of the connection. Raises psycopg.errors:
        UniqueViolation on a version or key in use, SQLSTATE PR001 when a guarded stream has moved on or a handled
        message is not there, PR002 when the log lacks an event that a unit rests on, PR003 when an execution would
        begin beyond the limit of its line, PR004 when another server has taken over. Raises EpochOver when the
        connection is of another epoch.
        """
        met, line = self.datastore.epochs.of(connection)
        if epoch is not None and met is not None and epoch != met:
            raise EpochOver("the decision rests on an epoch of the log that is over")
        arguments: Arguments = columns.appended()
        moved = columns.moved()
        for _, more in moved:
            arguments += more
        statement = append_statement(tuple((function, len(more)) for function, more in moved))
        row = connection.execute(statement, (epoch or met, line, *arguments), prepare=True).fetchone()
        assert row is not None
        return int(row["position"])

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Append events of the library, by the same append."""
        columns = Columns()
        with self.datastore.get_connection() as connection:
            try:
                for each in stored_events:
                    columns.add_stored(UUID(str(each.originator_id)), each.originator_version, each.topic, each.state)
                last = self.append(connection, columns)
            except (ValueError, psycopg.DatabaseError) as error:
                if not isinstance(error, ValueError | psycopg.errors.UniqueViolation) and error.sqlstate not in (
                    MOVED_ON,
                    MISSING,
                    EPOCH_OVER,
                ):
                    raise
                raise IntegrityError(str(error)) from error
        return range(last - len(stored_events) + 1, last + 1)
