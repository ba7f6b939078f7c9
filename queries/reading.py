"""The server of the queries, the freshness of their rows, and the wait until rows are fresh enough."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import DictRow, dict_row

from domain.refusal import Refusal
from queries.epochs import went_back
from queries.progress import LOG, ExecutionProgress
from store.connections import Connections

WAIT_SECONDS = 5.0
RETRY_AFTER_SECONDS = 1

AS_OF = """
select seen.position, substring(next.state from 1 for 100) as next,
  (select digest from projections where name = %s) as digest
from (select coalesce(
  (select notification_id from notification_tracking where application_name = %s), 0) as position) seen
left join lateral (
  select state from stored_events where notification_id > seen.position order by notification_id limit 1
) next on true"""
HEAD = "select coalesce(max(notification_id), 0) as position, null::bytea as next, null as digest from stored_events"

_AT = re.compile(rb'\{"at":"([^"]{1,40})"')


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


class _Together(msgspec.Struct, frozen=True):
    """The connection of the queries of one answer, and the freshness of the read models that they have met."""

    reading: "Reading"
    connection: Connection[DictRow]
    known: dict[str, Freshness] = {}


_TOGETHER: ContextVar[_Together | None] = ContextVar("together", default=None)


class Reading:
    """Queries of one process, on the main server or on a replica of it.

    progress: the positions of the read models; the main server notifies of changes.
    wait_seconds: the longest wait for a position.
    """

    def __init__(
        self, datastore: Connections, progress: ExecutionProgress, *, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self.datastore = datastore
        self.progress = progress
        self._wait_seconds = wait_seconds

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
        self, projection: str, min_position: int | None = None, *, beside: Iterable[str] = ()
    ) -> Iterator[tuple[Connection[DictRow], Freshness]]:
        """Yield a connection, and the least freshness of the read model of `projection`.

        Waits a while until the read model has reached `min_position`. beside: the other read models that the statements
        read. Raises NotYet, LogWentBack, ReadModelRebuilding, or Outage.
        """
        shape, epoch = self.progress.shapes.get(projection), self.epoch
        if min_position is not None and not self.progress.reached(projection, min_position, self._wait_seconds):
            with self.datastore.reading() as connection:
                read_freshness(connection, projection, shape)
            if len(self.progress.main.epochs.known) > 1 and min_position > self._end():
                raise went_back(self.progress, min_position)
            raise NotYet(f"what was asked for is not there yet: waiting for position {min_position}")
        with self._connection(min_position) as (connection, known):
            freshness = known.get(projection)
            if freshness is None:
                freshness = msgspec.structs.replace(read_freshness(connection, projection, shape), epoch=epoch)
                known[projection] = freshness
            try:
                yield connection, freshness
            except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
                # A switch may have replaced the tables in between, or one of the others is still to be built.
                for name in (projection, *beside):
                    read_freshness(connection, name, self.progress.shapes.get(name))
                raise

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let the queries of one answer, in this thread, share a connection and what they read of freshness.

        Rows that are read later are at least as fresh as that says. A query that waits for a position goes by itself.
        Raises Outage.
        """
        with self.datastore.reading() as connection:
            before = _TOGETHER.set(_Together(self, connection, {}))
            try:
                yield
            finally:
                _TOGETHER.reset(before)

    @contextmanager
    def _connection(self, min_position: int | None) -> Iterator[tuple[Connection[DictRow], dict[str, Freshness]]]:
        together = _TOGETHER.get()
        if together is not None and together.reading is self and min_position is None:
            yield together.connection, together.known
        else:
            with self.datastore.reading() as connection:
                yield connection, {}

    @contextmanager
    def log(self, min_position: int | None = None) -> Iterator[tuple[Connection[DictRow], Freshness]]:
        """Yield the same for queries of the log itself."""
        with self.of(LOG, min_position) as found:
            yield found


def read_freshness(connection: Connection[Any], projection: str, shape: str | None = None) -> Freshness:
    """Return the freshness of `projection`; read before its rows, so that they are at least as fresh.

    shape: the digest that its tables must have. Default: any. Raises ReadModelRebuilding when they have another.
    """
    if projection == LOG:
        row = connection.execute(HEAD, prepare=True).fetchone()
    else:
        row = connection.execute(AS_OF, (projection, projection), prepare=True).fetchone()
    assert row is not None
    if shape is not None and row["digest"] != shape:
        message = f"{projection} is being built for this release; GET /api/projections says how far"
        raise ReadModelRebuilding(message, projection=projection)
    return Freshness(row["position"], age_of(row["next"]))


def age_of(state: bytes | None) -> float:
    """Return the seconds since the event that begins with `state` happened; 0 without one."""
    found = _AT.match(bytes(state)) if state is not None else None
    if found is None:
        return 0.0
    at = datetime.fromisoformat(found[1].decode())
    return max(0.0, round((datetime.now(UTC) - at).total_seconds(), 3))


class _RawJson(Loader):
    """A json column as it is written; an answer embeds it without parsing."""

    def load(self, data: Buffer) -> Any:
        return msgspec.Raw(bytes(data))


def fetch(connection: Connection[Any], query: str, parameters: Any = ()) -> list[DictRow]:
    """Return the rows of a query, json columns as msgspec.Raw."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.adapters.register_loader("json", _RawJson)
        return cursor.execute(query, parameters, prepare=True).fetchall()
