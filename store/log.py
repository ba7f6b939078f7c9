"""The log: append decisions; `log_reading.py` reads streams and pages."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from uuid import UUID

from store.append_limit import APPEND_SECONDS, AppendLimit
from store.bounded import EventTooLarge
from store.columns import Columns
from store.datastore import BY_INDEX, Datastore, OwnConnection
from store.log_reading import LogReading
from store.outcomes import outcome_of
from store.overdue import overdue, waited_for_a_lock
from store.recorder import LogRecorder
from store.sizes import FULL_APPEND
from store.timing import Durations
from store.trouble import APPEND_OVERDUE, RecordingState
from store.unit import (
    AppendOverdue,
    AppendRefused,
    EpochOver,
    EventsMissing,
    FullLines,
    Outage,
    OutcomeUnknown,
    SlotsTaken,
    StoreError,
    Unit,
)
from store.waiting_units import Outcome, WaitingUnit

MAX_BATCH_EVENTS = 5_000
MOST_SUSPECTS = 10_000
CLOSING_SECONDS = 5.0


class Log(LogReading):
    """The event store of one process: thread-safe; concurrent appends share a transaction."""

    def __init__(self, datastore: Datastore, *, append_seconds: float = APPEND_SECONDS) -> None:
        super().__init__(datastore)
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
            if unit.before or not unit.size:
                _bytes_of(unit)
        with self._appending:
            return self._append_all(units)

    def _append_all(self, units: Sequence[Unit]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        full: FullLines = {}
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
                outcomes += self._append_batch(batch, full) if batch else ()
                batch, written, events, size = [], set(), 0, 0
            if alone:
                outcomes += self._append_batch([unit], full)
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
                outcomes += self._append_batch(batch, full)
                batch, written, events, size = [], set(), 0, 0
        return outcomes + self._append_batch(batch, full) if batch else outcomes

    def _append_batch(self, units: Sequence[Unit], full: FullLines) -> list[Outcome]:
        """Append units together; if one of them may be the reason of a failure, each by itself.

        full: takes the lines that have no free slot, from which nothing more begins. Raises the error of a database
        that is not as this release needs it.
        """
        if full and any(unit.admits_from in full for unit in units):
            return self._append_apart(units, full)
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
            line = units[0].admits_from
            if line is not None and isinstance(failed, SlotsTaken):
                full[line] = failed
            return [failed]
        return self._append_apart(units, full)

    def _append_apart(self, units: Sequence[Unit], full: FullLines) -> list[Outcome]:
        """Append each by itself, but none that would overtake one of its line: a slot may become free in between."""
        outcomes: list[Outcome] = []
        for unit in units:
            line = unit.admits_from
            taken = full.get(line) if line is not None else None
            outcomes.append(taken or self._append_batch([unit], full)[0])
        return outcomes

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
