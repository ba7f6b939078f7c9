"""The server of the queries, the freshness of their rows, and the wait until rows are fresh enough."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import msgspec
import psycopg
from psycopg import Connection, Cursor
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import DictRow, dict_row

from domain.refusal import Refusal
from queries.ahead import Ahead, age_of
from queries.epochs import went_back
from queries.progress import LOG, ExecutionProgress
from store.arrays import texts
from store.connections import Connections
from store.replica import ReplicaConnections

WAIT_SECONDS = 5.0
MOST_BEYOND = 50
"""While so many queries wait, no further one waits for an event that is to come: each occupies a thread of the API."""
RETRY_AFTER_SECONDS = 1

AS_OF = """
select seen.position, substring(next.state from 1 for 100) as next,
  (select digest from projections where name = %s) as digest
from (select coalesce(
  (select notification_id from notification_tracking where application_name = %s), 0) as position) seen
left join lateral (
  select state from stored_events where notification_id > seen.position order by notification_id limit 1
) next on true"""
# One read model alone is quicker by the statement above. The log itself is always at its end.
ALL_AS_OF = f"""
select x.name, seen.position, substring(next.state from 1 for 100) as next,
  (select digest from projections where name = x.name) as digest
from unnest(%b::text[]) as x(name)
cross join lateral (select coalesce(case x.name when '{LOG}' then (select max(notification_id) from stored_events) else
  (select notification_id from notification_tracking where application_name = x.name) end, 0) as position) seen
left join lateral (
  select state from stored_events where notification_id > seen.position order by notification_id limit 1
) next on true"""
HEAD = "select coalesce(max(notification_id), 0) as position, null::bytea as next, null as digest from stored_events"


class NotYet(Refusal):
    """The read model has not reached the requested position; `retry_after` states the seconds until the next try."""

    code = "not_yet"


class ReadModelRebuilding(Refusal):
    """The read model has tables of another release; it answers queries once this release's tables are built."""

    code = "read_model_rebuilding"


class Freshness(msgspec.Struct, frozen=True):
    """The freshness of an answer. as_of_position: it holds everything up to there. lag_seconds: age of the first event
    that it does not hold. epoch: of the log, or an earlier one; None where it is not known.
    """

    as_of_position: int
    lag_seconds: float
    epoch: str | None = None


class Reading:
    """Queries of one process, on the main server or on a replica of it.

    progress: the positions of the read models; the main server notifies of changes.
    wait_seconds: the longest wait for a position. ahead: the log of the main server beyond the rows of a replica; None
    without a replica.
    """

    def __init__(
        self, datastore: Connections, progress: ExecutionProgress, *, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self.datastore = datastore
        self.progress = progress
        self.ahead = Ahead(progress.main) if progress.main is not datastore else None
        self._wait_seconds = wait_seconds
        self._counting = threading.Lock()
        self._waits = 0

    @property
    def replica(self) -> ReplicaConnections | None:
        """The connections to the replica, None without one."""
        return self.datastore if isinstance(self.datastore, ReplicaConnections) else None

    @property
    def epoch(self) -> str | None:
        """The epoch of the log, for positions that are read after this."""
        return self.progress.main.epochs.enter()

    def _end(self) -> int:
        """Return the end of the log on the main server: no position is given out before it is there."""
        with self.progress.main.reading() as connection:
            return read_freshness(connection, LOG).as_of_position

    @contextmanager
    def of(
        self,
        projection: str,
        min_position: int | None = None,
        *,
        beside: Iterable[str] = (),
        at_once: Sequence[str] = (),
    ) -> Iterator[tuple[Connection[DictRow], Freshness]]:
        """Yield a connection, and the least freshness of the read model of `projection`.

        Waits a while until the read model has reached `min_position`. beside: the other read models that the statements
        read. at_once: the first table by name of each of these read models; with it, all statements see one snapshot of
        the database, of which the freshness is exact, and are in a pipeline, and no switch replaces tables meanwhile.
        Raises NotYet, LogWentBack, ReadModelRebuilding, or Outage.
        """
        beside = tuple(beside)
        self.catch_up(projection, *beside)
        shape, epoch = self.progress.shapes.get(projection), self.epoch
        if min_position is not None and not self._reached(projection, min_position):
            with self.datastore.reading() as connection:
                read_freshness(connection, projection, shape)
            if len(self.progress.main.epochs.known) > 1 and min_position > self._end():
                raise went_back(self.progress, min_position)
            raise NotYet(f"what was asked for is not there yet: waiting for position {min_position}")
        with self.datastore.reading() as connection:
            try:
                with _snapshot(connection, at_once) if at_once else nullcontext():
                    found = read_freshness(connection, projection, shape)
                    yield connection, msgspec.structs.replace(self._by_primary(found), epoch=epoch)
            except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
                # A switch may have replaced the tables in between, or one of the others is still to be built.
                for name in (projection, *beside):
                    read_freshness(connection, name, self.progress.shapes.get(name))
                raise

    @property
    def crowded(self) -> bool:
        """Whether so many queries wait for positions that no further one waits for an event that is to come."""
        return self._waits >= MOST_BEYOND

    def _reached(self, projection: str, position: int) -> bool:
        """Wait until a read model has reached a position; return whether it has.

        No position beyond the end of the log was given out: of the queries that state one, a bounded number waits.
        """
        if self.progress.reached(projection, position, 0.0):
            return True
        if self.crowded and position > self._end():
            return False
        with self._counting:
            self._waits += 1
        try:
            return self.progress.reached(projection, position, self._wait_seconds)
        finally:
            with self._counting:
                self._waits -= 1

    def catch_up(self, *projections: str) -> None:
        """Do what comes before rows of read models are read: here nothing."""

    def freshness_of(self, state: DictRow, projection: str, epoch: str | None) -> Freshness:
        """Return the freshness of a read model by its row of `read_all_states`. Raises ReadModelRebuilding."""
        found = _freshness(state, projection, self.progress.shapes.get(projection))
        return msgspec.structs.replace(self._by_primary(found), epoch=epoch)

    def _by_primary(self, found: Freshness) -> Freshness:
        """Return the freshness of rows of a replica by what the main server has: the replica may lack the newest."""
        if self.ahead is None:
            return found
        return Freshness(found.as_of_position, max(found.lag_seconds, self.ahead.beyond(found.as_of_position).age))

    @contextmanager
    def log(self, min_position: int | None = None) -> Iterator[tuple[Connection[DictRow], Freshness]]:
        """Yield the same for queries of the log itself."""
        with self.of(LOG, min_position) as found:
            yield found


@contextmanager
def _snapshot(connection: Connection[DictRow], tables: Sequence[str]) -> Iterator[None]:
    """Let all statements within see one snapshot of the database, which begins with the first query.

    tables: a switch takes them first, so it waits at them until the end, and holds none that a statement waits for.
    """
    with connection.pipeline(), connection.transaction():
        # Not as an attribute of the connection, which a lost one refuses to set back.
        connection.execute("set transaction isolation level repeatable read")
        # To start parallel workers takes longer than a query, but the estimate of many small scans calls for them.
        connection.execute("set local max_parallel_workers_per_gather = 0")
        # It takes no snapshot. One of before a switch would lack what the tables of after it got with the switch.
        connection.execute(f"lock table {', '.join(tables)} in access share mode")
        yield


def read_freshness(connection: Connection[Any], projection: str, shape: str | None = None) -> Freshness:
    """Return the freshness of `projection`; read before its rows, so that they are at least as fresh.

    shape: the digest that its tables must have. Default: any. Raises ReadModelRebuilding when they have another.
    """
    if projection == LOG:
        return _freshness(_head(connection), projection, shape)
    row = connection.execute(AS_OF, (projection, projection), prepare=True).fetchone()
    assert row is not None
    return _freshness(row, projection, shape)


def read_all_states(connection: Connection[DictRow], projections: Sequence[str]) -> Cursor[DictRow]:
    """Have the server send, for each of `projections`, its position, the event after it, and the digest of its tables.

    A row each, for `Reading.freshness_of`.
    """
    return connection.execute(ALL_AS_OF, (texts(projections),), prepare=True)


def _head(connection: Connection[Any]) -> DictRow:
    row: DictRow | None = connection.execute(HEAD, prepare=True).fetchone()
    assert row is not None
    return row


def _freshness(row: DictRow, projection: str, shape: str | None) -> Freshness:
    if shape is not None and row["digest"] != shape:
        message = f"{projection} is being built for this release; GET /api/projections says how far"
        raise ReadModelRebuilding(message, projection=projection)
    return Freshness(row["position"], age_of(row["next"]))


class _RawJson(Loader):
    """A json column as it is written; an answer embeds it without parsing."""

    def load(self, data: Buffer) -> Any:
        return msgspec.Raw(bytes(data))


def fetch(connection: Connection[Any], query: str, parameters: Any = ()) -> list[DictRow]:
    """Return the rows of a query, json columns as msgspec.Raw."""
    with send(connection, query, parameters) as cursor:
        return cursor.fetchall()


def send(connection: Connection[Any], query: str, parameters: Any = (), *, binary: bool = False) -> Cursor[DictRow]:
    """Send a query, and return the cursor of its rows, json columns as msgspec.Raw. binary: the rows come in binary."""
    cursor = connection.cursor(row_factory=dict_row, binary=binary)
    if not binary:
        cursor.adapters.register_loader("json", _RawJson)
    return cursor.execute(query, parameters, prepare=True)
