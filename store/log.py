"""The log: append decisions, read streams, read pages in order."""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, tuple_row

from domain.event import Event
from store.append_limit import APPEND_SECONDS, AppendLimit
from store.bounded import EventTooLarge
from store.columns import Columns
from store.datastore import BY_INDEX, Datastore, OwnConnection
from store.mapper import Recorded, StreamEvents, decode, recorded
from store.outcomes import outcome_of
from store.overdue import overdue, waited_for_a_lock
from store.recorder import LogRecorder
from store.sizes import FULL_APPEND, page_query
from store.timing import Durations
from store.trouble import APPEND_OVERDUE, RecordingState
from store.unit import (
    AppendOverdue,
    AppendRefused,
    EpochOver,
    EventsMissing,
    Outage,
    OutcomeUnknown,
    StoreError,
    Unit,
)
from store.waiting_units import Outcome, WaitingUnit

STREAMS = """select originator_id, topic, state from stored_events where originator_id = any(%s)
order by originator_id, originator_version"""
ONE_STREAM = "select topic, state from stored_events where originator_id = %s order by originator_version"
EXISTING = """select x.id from unnest(%s::uuid[]) as x(id)
where exists (select from stored_events e where e.originator_id = x.id)"""
STREAM_PAGE = """select notification_id, originator_id, originator_version, topic, state from stored_events
where originator_id = %s and originator_version > %s order by originator_version limit %s"""
NEWEST_OF_STREAM = """select notification_id, originator_id, originator_version, topic, state from stored_events
where originator_id = %s order by originator_version desc limit 1"""
PAGE = f"{page_query('notification_id > %(after)s')} limit %(limit)s"
MAX_BATCH_EVENTS = 5_000
MOST_SUSPECTS = 10_000
CLOSING_SECONDS = 5.0


class Log:
    """The event store of one process: thread-safe; concurrent appends share a transaction."""

    def __init__(self, datastore: Datastore, *, append_seconds: float = APPEND_SECONDS) -> None:
        self.datastore = datastore
        self.recorder = LogRecorder(datastore)
        self.recording = RecordingState()
        self._limit = AppendLimit(append_seconds)
        # The server ends an append that has not begun to write in time, so that it does not write later.
        lock_timeout = f"{max(1, round(append_seconds * 900))}ms"
        self._connection = OwnConnection(datastore, "append", **BY_INDEX, lock_timeout=lock_timeout)
        self._appending = threading.Lock()
        self._waiting_guard = threading.Lock()
        self._waiting: list[WaitingUnit] = []
        self._led = False
        self.append_times = Durations()
        """The times of appends, refused ones included."""
        self._deciding = threading.local()
        self._suspects: set[UUID] = set()
        """Streams of the units whose connection was lost: each is appended alone next, so that it fails alone."""

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Let the units that this thread appends rest on the present epoch: what it reads inside is not older."""
        before = getattr(self._deciding, "epoch", None)
        self._deciding.epoch = self.datastore.epochs.enter()
        try:
            yield
        finally:
            self._deciding.epoch = before

    def append(self, unit: Unit) -> int:
        """Record one decision; return the position of its last event.

        The units that other threads append while a transaction is in flight share the next transaction.
        Raises Conflict, KeyTaken, UnitRefused, AppendRefused, AppendOverdue, OutcomeUnknown or EventTooLarge.
        """
        _bytes_of(unit)
        unit.epoch = unit.epoch or getattr(self._deciding, "epoch", None)
        waiting = WaitingUnit(unit)
        with self._waiting_guard:
            self._waiting.append(waiting)
            leads, self._led = not self._led, True
        if not leads:
            self._await_turn(waiting)
        if waiting.outcome is None:
            self._lead()
        if isinstance(waiting.outcome, BaseException):
            raise waiting.outcome
        assert waiting.outcome is not None
        return waiting.outcome

    def _await_turn(self, waiting: WaitingUnit) -> None:
        """Return when another thread has appended the unit, or this one is to lead. Raises AppendOverdue."""
        if waiting.woken.wait(self._limit.seconds):
            return
        with self._waiting_guard:
            if waiting in self._waiting and not waiting.leads:
                self._waiting.remove(waiting)
                raise AppendOverdue((self.recording.trouble or APPEND_OVERDUE), self._limit.seconds)
        waiting.woken.wait()

    def _lead(self) -> None:
        """Append every waiting unit, the caller's included; wake the first thread that came meanwhile to lead next."""
        with self._waiting_guard:
            batch, self._waiting = self._waiting, []
        try:
            with self._appending:
                outcomes: Sequence[Outcome | BaseException] = self._append_all([other.unit for other in batch])
        except BaseException as error:  # noqa: BLE001 - each waiting thread raises it
            outcomes = [error] * len(batch)
        with self._waiting_guard:
            self._led = bool(self._waiting)
            following = self._waiting[0] if self._waiting else None
            if following is not None:
                following.leads = True
        for other, outcome in zip(batch, outcomes, strict=True):
            other.outcome = outcome
            other.woken.set()
        if following is not None:
            following.woken.set()

    def append_all(self, units: Sequence[Unit]) -> list[Outcome]:
        """Record many decisions; return for each the position of its last event, or why it was not recorded.

        They share transactions as long as none fails, and as far as they fit one; after a failure each one has a
        transaction of its own. Raises EventTooLarge, before it records anything.
        """
        for unit in units:
            if unit.before or not unit.encoded:
                _bytes_of(unit)
        with self._appending:
            return self._append_all(units)

    def _append_all(self, units: Sequence[Unit]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        batch: list[Unit] = []
        written: set[UUID] = set()
        events = size = 0
        epoch: str | None = None
        for unit in units:
            alone = bool(self._suspects) and unit.stream in self._suspects
            if (
                alone
                or unit.stream in written
                or unit.epoch != epoch
                or (unit.guards and any(guarded in written for guarded, _ in unit.guards))
            ):
                # An append checks versions before it writes: the events that this unit rests on need an append before.
                outcomes += self._append_batch(batch) if batch else ()
                batch, written, events, size = [], set(), 0, 0
            if alone:
                outcomes += self._append_batch([unit])
                continue
            epoch = unit.epoch
            batch.append(unit)
            size += _bytes_of(unit) if unit.before else unit.size
            written.add(unit.stream)
            events += len(unit.events)
            for change in unit.before:
                written.add(change.stream)
                events += len(change.events)
            if events >= MAX_BATCH_EVENTS or size >= FULL_APPEND:
                outcomes += self._append_batch(batch)
                batch, written, events, size = [], set(), 0, 0
        return outcomes + self._append_batch(batch) if batch else outcomes

    def _append_batch(self, units: Sequence[Unit]) -> list[Outcome]:
        """Append units together; if one of them may be the reason of a failure, each by itself.

        Raises the error of a database that is not as this release needs it.
        """
        sent, cut, begun = False, False, time.perf_counter()
        try:
            columns = Columns()
            ends = [columns.add(unit) for unit in units]
            with self._connection.borrow() as connection:
                sent = True
                self._limit.begin(connection.fileno())
                try:
                    last = self.recorder.append(connection, columns, units[0].epoch)
                finally:
                    cut = self._limit.end()
        except Exception as error:  # noqa: BLE001 - each unit gets its outcome
            if cut or waited_for_a_lock(error):
                failed: StoreError = overdue(self.datastore, self._limit.seconds)
            else:
                failed = outcome_of(error, sent=sent, alone=len(units) == 1)
        else:
            if cut:
                self._connection.close()
            if self._suspects:
                self._suspects.difference_update(unit.stream for unit in units)
            self.recording.succeeded()
            first = last - len(columns)
            return [first + end for end in ends]
        finally:
            self.append_times.add(time.perf_counter() - begun)
        if isinstance(failed, AppendRefused):
            self.recording.failed(failed.trouble)
            if failed.alone:
                self._suspect(units)
            return [failed] * len(units)
        if isinstance(failed, OutcomeUnknown | EventsMissing):
            self.datastore.epochs.forget()
        if isinstance(failed, AppendOverdue):
            self.recording.failed(failed.trouble)
            return [failed] * len(units)
        if isinstance(failed, EpochOver):
            # This connection may lead to an old primary, or past a failover; the next append reports an outage.
            with suppress(*Outage):
                self._connection.reopen()
            return [failed] * len(units)
        if isinstance(failed, OutcomeUnknown):
            if sent:
                self._suspect(units)
            return [failed] * len(units)
        if len(units) == 1:
            self._suspects.discard(units[0].stream)
            return [failed]
        return [outcome for unit in units for outcome in self._append_batch([unit])]

    def _suspect(self, units: Sequence[Unit]) -> None:
        if len(self._suspects) > MOST_SUSPECTS:
            self._suspects.clear()
        self._suspects.update(unit.stream for unit in units)

    def close(self) -> None:
        """Close the appending connection, unless an append that does not end has it."""
        self._limit.close()
        if self._appending.acquire(timeout=CLOSING_SECONDS):
            self._connection.close()
            self._appending.release()

    def stream(self, stream: UUID) -> StreamEvents:
        """Return every event of one stream, oldest first; none when there is no such stream."""
        with self.datastore.reading() as connection:
            rows = _tuples(connection, ONE_STREAM, (stream,))
        events = StreamEvents([decode(topic, state) for topic, state in rows])
        events.size = sum(len(state) for _, state in rows)
        return events

    def streams(self, streams: Iterable[UUID], reading: OwnConnection | None = None) -> dict[UUID, list[Event]]:
        """Return every event of many streams, by one query; leave out streams without events.

        reading: a connection of the caller's, which is quicker than one of the pool.
        """
        found: dict[UUID, StreamEvents] = {}
        with self.datastore.reading() if reading is None else reading.borrow() as connection:
            rows = _tuples(connection, STREAMS, (list(streams),))
        for stream, topic, state in rows:
            events = found.get(stream)
            if events is None:
                events = found[stream] = StreamEvents()
            events.append(decode(topic, state))
            events.size += len(state)
        return {**found}

    def existing(self, streams: Iterable[UUID]) -> set[UUID]:
        """Return those of the streams that have events."""
        with self.datastore.reading() as connection:
            return {id for (id,) in _tuples(connection, EXISTING, (list(streams),))}

    def stream_page(self, stream: UUID, *, after: int = 0, limit: int = 200) -> list[Recorded]:
        """Return events of one stream, with their places, whose versions are greater than `after`."""
        with self.datastore.reading() as connection:
            return recorded(_tuples(connection, STREAM_PAGE, (stream, after, limit)))

    def newest(self, stream: UUID) -> Recorded | None:
        """Return the newest event of one stream with its place; None when there is no such stream."""
        with self.datastore.reading() as connection:
            found = recorded(_tuples(connection, NEWEST_OF_STREAM, (stream,)))
        return found[0] if found else None

    def page(self, after: int, limit: int) -> list[Recorded]:
        """Return a page of the log after position `after`, decoded."""
        with self.datastore.reading() as connection:
            return recorded(read_page(connection, after, limit))

    def actor_at(self, position: int) -> str:
        """Return the actor of the event at `position`; empty without such an event."""
        found = self.page(position - 1, 1)
        return found[0].event.actor if found and found[0].position == position else ""

    def last_position(self) -> int:
        """Return the position of the newest event; 0 for an empty log."""
        return self.recorder.max_notification_id() or 0


def _bytes_of(unit: Unit) -> int:
    """Return the bytes of a unit's events; 0 if they have no stored form, which its append states for it alone."""
    try:
        return unit.encode()
    except EventTooLarge:
        raise
    except (TypeError, ValueError, RecursionError):
        return 0


def read_page(connection: Connection[Any], after: int, limit: int) -> list[TupleRow]:
    """Return rows (position, stream, version, topic, state) of the log after position `after`, in order.

    They are fewer than `limit` at the end of the log, or when they make a page full.
    """
    return _tuples(connection, PAGE, {"after": after, "limit": limit})


def _tuples(connection: Connection[Any], query: str, parameters: Sequence[Any] | dict[str, Any]) -> list[TupleRow]:
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return cursor.execute(query, parameters, prepare=True).fetchall()
