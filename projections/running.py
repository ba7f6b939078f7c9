"""Projections kept up with the log: one process runs each, and the others stand by."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow, TupleRow

from projections import ALL
from projections.locks import RUNNER_LOCK, holder_of, try_lock, unlock
from projections.pages import PAGE, Broken, describe, is_outage, park_page, project_page
from projections.positions import Moved, Positions
from projections.projection import Projection, clean
from projections.tables import built_digests
from store.datastore import Datastore
from store.log_reading import read_page
from store.reading import UnknownEventMet, connect, head, known_part
from store.sizes import is_full

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0  # between two attempts to take over projections and to find rebuilt tables

STANDBY, RUNNING, CATCHING_UP, STALE, FAILED, STOPPED = (
    "standby",
    "running",
    "catching_up",
    "stale",
    "failed",
    "stopped",
)

FAIL = "update projections set failure = %s, failed_at = now() where name = %s"
AT = "select originator_id, originator_version from stored_events where notification_id = %s"
FORGET = "update projections set failure = null, failed_at = null where name = %s and failure is not null"


BEYOND = "{name} is at position {position}, beyond the end of the log: the log has lost events; rebuild {name}"


class State(msgspec.Struct):
    """One projection, in the view of this process.

    state: ``standby`` (another process runs it, or none yet), ``running``, ``catching_up`` (more than a page behind),
    ``stale`` (its tables are of another definition), ``stopped`` (this release does not define the
    next event: a newer release runs it) or ``failed`` (writing fails; tried every second). beyond: its position, when
    that was beyond the end of the log; it stands still until a rebuild moves it. last: the position,
    stream and version of the event that this process projected last. stood_by: whether it has met another runner.
    """

    projection: Projection[Any]
    state: str = STANDBY
    position: int = 0
    error: str | None = None
    beyond: int | None = None
    last: tuple[int, bytes, int] | None = None
    stood_by: bool = False


class Runner:
    """A runner of all projections that no other process runs. Not for two threads at once; methods may raise an Outage.

    After an Outage, `close` it: the next `refresh` begins with another connection and without any locks.
    """

    def __init__(self, datastore: Datastore, projections: Sequence[Projection[Any]] = ALL) -> None:
        self._datastore = datastore
        self._positions = Positions()
        self._states = {projection.name: State(projection) for projection in projections}
        self._connection: Connection[DictRow] | None = None
        self._refresh_at = 0.0

    @property
    def states(self) -> list[State]:
        """Return every projection, in the view of this process."""
        return list(self._states.values())

    def close(self) -> None:
        """Release every projection: other processes take over."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._refresh_at = 0.0
        for state in self._states.values():
            state.state, state.error = STANDBY, None

    def refresh(self) -> None:
        """Take projections that no process runs, and find tables that were built or replaced; at most once a second."""
        if time.monotonic() < self._refresh_at:
            return
        if self._connection is not None and self._datastore.epochs.over(self._connection):
            self.close()
            for state in self._states.values():
                state.last = None  # another event may have its position now
        if self._connection is None:
            self._connection = connect(self._datastore, "projections")
        digests = built_digests(self._connection)
        for name, state in self._states.items():
            if state.state in (RUNNING, CATCHING_UP, FAILED):
                state.state = RUNNING
                if digests.get(name) != state.projection.digest:
                    self._leave(state)
            elif state.state != STOPPED or self._moved_on(state):
                self._take(state)
        self._read_positions()
        self._refuse_lost_positions()
        self._refresh_at = time.monotonic() + REFRESH_SECONDS

    def advance(self, let_come: Callable[[int], bool] | None = None) -> int:
        """Project at most a page of the log for each group of projections that are at the same position.

        let_come: called with the number of events of a page that is not full, before it is projected; if it returns
        True, more may have come, and the page is read once more. Default: projects each page as it is.
        Returns the events of the largest page, PAGE for one full in bytes; less means that the log ends there.
        """
        largest, ceiling = 0, None
        for position, group in sorted(self._groups().items(), reverse=True):
            rows: Sequence[TupleRow] = read_page(self._running, position, PAGE)
            if let_come and not (len(rows) == PAGE or is_full(rows)) and let_come(len(rows)):
                rows = read_page(self._running, position, PAGE)
                let_come = None  # they had time to come for the other groups, too
            found = PAGE if is_full(rows) else len(rows)
            if ceiling is not None:
                # Not beyond the position of the others: from there on all read the log together.
                rows = [row for row in rows if row[0] <= ceiling]
            if rows and self._lost(position, group):
                continue
            rows, unknown = known_part(rows)
            if found == PAGE:
                for state in group:
                    state.state = CATCHING_UP
            if rows and not self._project(group, position, rows):
                found = PAGE  # not the end: go on from the positions just read
            elif unknown is not None:
                self._stop(group, unknown)
            largest, ceiling = max(largest, found), max(state.position for state in group)
        return largest

    @property
    def _running(self) -> Connection[DictRow]:
        assert self._connection is not None, "refresh first"
        return self._connection

    def _groups(self) -> dict[int, list[State]]:
        groups: dict[int, list[State]] = {}
        for state in self._states.values():
            if state.state in (RUNNING, CATCHING_UP):
                state.state = RUNNING
                groups.setdefault(state.position, []).append(state)
        return groups

    def _project(self, group: list[State], after: int, rows: Sequence[TupleRow]) -> bool:
        """Project a page; return whether the positions were as expected."""
        try:
            project_page(self._running, self._positions, [state.projection for state in group], after, rows)
        except Moved:
            self._read_positions()
            return False
        except Exception as error:
            if is_outage(error):
                raise
            logger.debug("the page behind %d is projected in parts: %s", after, describe(error))
            as_expected = [self._project_alone(state, after, rows) for state in group]
            return all(as_expected)
        self._arrived(group, rows)
        return True

    def _project_alone(self, state: State, after: int, rows: Sequence[TupleRow]) -> bool:
        try:
            park_page(self._running, self._positions, state.projection, after, rows)
        except Moved:
            self._read_positions()
            return False
        except Broken as error:
            self._failed(state, clean(str(error)))
        else:
            self._arrived([state], rows)
        return True

    def _failed(self, state: State, error: str) -> None:
        if state.error != error:
            logger.error("a projection stands still, the others go on: %s", error)
            self._running.execute(FAIL, (error, state.projection.name))
        state.state, state.error = FAILED, error

    def _arrived(self, group: list[State], rows: Sequence[TupleRow]) -> None:
        last = rows[-1][:3]
        for state in group:
            state.position, state.last = last[0], last
            if state.error is not None:
                state.error = None
                self._running.execute(FORGET, (state.projection.name,))

    def _take(self, state: State) -> None:
        """Run the projection if no process does and its tables are as this release defines them."""
        name = state.projection.name
        if not try_lock(self._running, RUNNER_LOCK, name):
            if state.state != STANDBY or not state.stood_by:
                logger.info("standing by for projection %s, %s", name, holder_of(self._running, RUNNER_LOCK, name))
            state.state, state.stood_by = STANDBY, True
        elif (
            built_digests(self._running).get(name) != state.projection.digest
        ):  # read under the lock: no process can switch
            self._leave(state)
        else:
            state.state, state.error, state.stood_by = RUNNING, None, False
            state.beyond = self._lost_position(name)
            if state.beyond is None:
                self._running.execute(FORGET, (name,))
            logger.info("running projection %s", name)

    def _refuse_lost_positions(self) -> None:
        """Stop projections whose position the log has no more: the next events at these positions are others."""
        end = head(self._running)
        for state in self._states.values():
            if state.state not in (RUNNING, CATCHING_UP):
                continue
            if state.position > end:
                state.beyond = state.position
            if state.beyond == state.position:
                self._failed(state, BEYOND.format(name=state.projection.name, position=state.position))
            elif state.beyond is not None:
                state.beyond, state.error = None, None
                self._running.execute(FORGET, (state.projection.name,))

    def _lost(self, position: int, group: Sequence[State]) -> bool:
        """Stop projections if the event that they projected last is another one now; return whether it is."""
        last = next((state.last for state in group if state.last is not None and state.last[0] == position), None)
        if last is None:
            return False
        row = self._running.execute(AT, (position,), prepare=True, binary=True).fetchone()
        if row is not None and (row["originator_id"], row["originator_version"]) == last[1:]:
            return False
        for state in group:
            state.beyond = position
            self._failed(state, BEYOND.format(name=state.projection.name, position=position))
        return True

    def _lost_position(self, name: str) -> int | None:
        """Return the position of the projection if a process before found it beyond the end of the log."""
        row = self._running.execute("select failure from projections where name = %s", (name,)).fetchone()
        position = self._positions.read(self._running, [name]).get(name, 0)
        lost = row is not None and row["failure"] == BEYOND.format(name=name, position=position)
        return position if lost else None

    def _leave(self, state: State) -> None:
        """Leave tables of another shape to the release that they suit."""
        name = state.projection.name
        self._failed(
            state, f"{name} was built as another release defines it; a projector of this release or you rebuild it"
        )
        state.state = STALE
        unlock(self._running, RUNNER_LOCK, name)

    def _stop(self, group: Sequence[State], unknown: UnknownEventMet) -> None:
        """Leave the rest of the log to a newer release: this one does not define the event."""
        for state in group:
            # Failed ones are behind the event: they go on up to it once writing succeeds again.
            if state.state in (RUNNING, CATCHING_UP):
                self._failed(state, f"{state.projection.name} {unknown}")
                state.state = STOPPED
                unlock(self._running, RUNNER_LOCK, state.projection.name)

    def _moved_on(self, state: State) -> bool:
        """Return whether another release has projected the event that stopped this one."""
        name = state.projection.name
        return self._positions.read(self._running, [name]).get(name, 0) != state.position

    def _read_positions(self) -> None:
        for name, position in self._positions.read(self._running, list(self._states)).items():
            self._states[name].position = position
