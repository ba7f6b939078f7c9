"""The due list of schedules: when each is due next, and which of them a worker has claimed."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow, tuple_row

from domain.catalogue import STORED_NAMES
from domain.schedules.events import ScheduleEvent, ScheduleRegistered, ScheduleRemoved
from store import arrays
from store.lists.kept import Arguments, FoldingProof, KeptList, ListDifference, Moves, tuples
from store.mapper import decode
from store.unit import StreamChange

# Other workers leave a claimed schedule alone for so long; the append that accounts for it releases it.
LINE = "\n"
CLAIMED_FOR = timedelta(seconds=3)

# Of many that are due, the first of each process, then the second of each, and so on.
CLAIM = """
with ranked as (
  select schedule_id, due_at, row_number() over (partition by process_id order by due_at, schedule_id) as turn
  from due_schedules where due_at <= now() and (claimed_until is null or claimed_until < now())),
chosen as (select schedule_id, turn from ranked order by turn, due_at limit %(limit)s),
free as (
  select d.schedule_id from due_schedules d join chosen using (schedule_id)
  where d.due_at <= now() and (d.claimed_until is null or d.claimed_until < now())
  order by turn for update of d skip locked)
update due_schedules d set claimed_until = now() + %(claimed_for)s
where d.schedule_id = any(array(select schedule_id from free)) returning d.schedule_id, now()"""

# The times of the database, and of the next that no worker has claimed.
NEXT = """select now(), (select min(due_at) from due_schedules
where due_at is not null and (claimed_until is null or claimed_until < now()))"""


class ClaimedSchedules(msgspec.Struct, frozen=True):
    """Schedules that a worker has claimed. now: the time by the clock of the database, which says what is due."""

    now: datetime
    schedules: list[UUID]


def claim(connection: Connection[Any], limit: int) -> ClaimedSchedules | None:
    """Claim up to `limit` schedules that are due and that no worker has, in turns of processes; None for none."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        rows = cursor.execute(CLAIM, {"limit": limit, "claimed_for": CLAIMED_FOR}, prepare=True).fetchall()
    return ClaimedSchedules(rows[0][1], [row[0] for row in rows]) if rows else None


def next_due(connection: Connection[Any]) -> tuple[datetime, datetime | None]:
    """Return the time of the database, and when the next schedule that no worker has claimed is due."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        row = cursor.execute(NEXT, prepare=True).fetchone()
    assert row is not None
    return row[0], row[1]


def of_process(connection: Connection[Any], process: UUID) -> list[UUID]:
    """Return the schedules of a process that are registered."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        query = "select schedule_id from due_schedules where process_id = %s"
        return [row[0] for row in cursor.execute(query, (process,), prepare=True)]


def page(connection: Connection[Any], after: UUID, limit: int) -> list[UUID]:
    """Return up to `limit` registered schedules whose ids are greater than `after`, in order."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        query = "select schedule_id from due_schedules where schedule_id > %s order by schedule_id limit %s"
        return [row[0] for row in cursor.execute(query, (after, limit), prepare=True)]


def users_of(connection: Connection[Any], calendar: str) -> list[UUID]:
    """Return the schedules whose rules use a calendar."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        query = "select schedule_id from due_schedules where calendars @> array[%s]::text[]"
        return [row[0] for row in cursor.execute(query, (calendar,), prepare=True)]


def release(connection: Connection[Any], schedules: list[UUID]) -> None:
    """Let other workers claim schedules that were claimed and not accounted for."""
    connection.execute(
        "update due_schedules set claimed_until = null where schedule_id = any(%b)", (arrays.uuids(schedules),)
    )


def postpone(connection: Connection[Any], schedule: UUID, wait: timedelta) -> None:
    """Let no worker claim a schedule for so long: no decision about it succeeds."""
    connection.execute("update due_schedules set claimed_until = now() + %s where schedule_id = %s", (wait, schedule))


class DueScheduleMoves(Moves):
    """The schedules that one append makes due at another time, or takes off the list."""

    function = "move_due_schedules_v1"

    def __init__(self) -> None:
        self._registered: dict[bytes, ScheduleRegistered] = {}
        self._removed: set[bytes] = set()
        self._due: dict[bytes, datetime | None] = {}

    def _moved(self, event: ScheduleEvent, _change: StreamChange, stream: bytes, _version: int) -> None:
        self._due[stream] = event.next_at
        if isinstance(event, ScheduleRegistered):
            self._registered[stream] = event
        if isinstance(event, ScheduleRemoved) and not event.pending:
            self._removed.add(stream)
        else:
            self._removed.discard(stream)

    handlers = dict.fromkeys([kind for kind in STORED_NAMES if issubclass(kind, ScheduleEvent)], _moved)

    def arguments(self) -> Arguments:
        """Return the schedules to insert, those to strike off, and when the others are due."""
        if not self._due:
            return ()
        return (
            arrays.uuid_bytes(list(self._registered)),
            arrays.uuids([event.process_id for event in self._registered.values()]),
            arrays.texts([LINE.join(sorted(event.calendars)) for event in self._registered.values()]),
            arrays.uuid_bytes(list(self._removed)),
            arrays.uuid_bytes(list(self._due)),
            arrays.timestamptzs(list(self._due.values())),
        )


LISTED = "select schedule_id, process_id, array_to_string(calendars, e'\\n'), due_at from due_schedules"
STRIKE = "delete from due_schedules where schedule_id = any(%b)"
INSERT = """insert into due_schedules (schedule_id, process_id, calendars, due_at)
select x.id, x.process, string_to_array(x.names, e'\\n'), x.due_at
from unnest(%b, %b, %b, %b) as x(id, process, names, due_at)
on conflict (schedule_id) do update
set due_at = excluded.due_at, calendars = excluded.calendars, claimed_until = null"""

DueRow = tuple[bytes, str, datetime | None]
"""(process_id, names of calendars, due_at)"""


class DueSchedulesProof(FoldingProof):
    """The last event of each schedule says when it is due."""

    topics = sorted(name for kind, name in STORED_NAMES.items() if issubclass(kind, ScheduleEvent))

    def __init__(self) -> None:
        self._registered: dict[bytes, tuple[bytes, str]] = {}
        self._due: dict[bytes, datetime | None] = {}

    def fold(self, rows: Iterable[TupleRow]) -> None:
        for _, stream, _, topic, state in rows:
            event = decode(topic, state)
            assert isinstance(event, ScheduleEvent)
            if isinstance(event, ScheduleRegistered):
                self._registered[stream] = event.process_id.bytes, LINE.join(sorted(event.calendars))
            if isinstance(event, ScheduleRemoved) and not event.pending:
                self._due.pop(stream, None)
            else:
                self._due[stream] = event.next_at

    def compare(self, connection: Connection[Any]) -> tuple[int, list[ListDifference]]:
        listed, expected = _listed(connection), self._expected()
        differing = sorted(id for id in listed.keys() | expected.keys() if listed.get(id) != expected.get(id))
        return len(expected), [_difference(id, listed.get(id), expected.get(id)) for id in differing]

    def put_right(self, connection: Connection[Any]) -> None:
        listed, expected = _listed(connection), self._expected()
        surplus = [id for id in listed if id not in expected]
        wrong = [(id, *row) for id, row in expected.items() if listed.get(id) != row]
        if surplus:
            connection.execute(STRIKE, (arrays.uuid_bytes(surplus),))
        if wrong:
            ids, processes, names, dues = zip(*wrong, strict=True)
            columns = arrays.uuid_bytes(ids), arrays.uuid_bytes(processes), arrays.texts(names)
            connection.execute(INSERT, (*columns, arrays.timestamptzs(dues)))

    def _expected(self) -> dict[bytes, DueRow]:
        return {id: (*self._registered[id], due_at) for id, due_at in self._due.items()}


def _listed(connection: Connection[Any]) -> dict[bytes, DueRow]:
    return {id: (process, names, due_at) for id, process, names, due_at in tuples(connection, LISTED)}


def _difference(id: bytes, listed: DueRow | None, expected: DueRow | None) -> ListDifference:
    def row(found: DueRow | None) -> dict[str, Any] | None:
        if found is None:
            return None
        _, names, due_at = found
        return {"calendars": names.split(), "due_at": None if due_at is None else due_at.isoformat()}

    return ListDifference(DUE_SCHEDULES.name, {"schedule_id": str(UUID(bytes=id))}, row(listed), row(expected))


DUE_SCHEDULES = KeptList("due_schedules", DueScheduleMoves, DueSchedulesProof)
