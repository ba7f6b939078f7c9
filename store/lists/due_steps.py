"""The due list of workers: which attempts are due, which worker has claimed each, and which workers live."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from domain.catalogue import STORED_NAMES
from domain.executions.events.step import StepScheduled, StepStarted
from domain.executions.outcomes import ABANDONS_ATTEMPT, LEAVES_WORKER
from store import arrays
from store.lists.kept import Arguments, FoldingProof, KeptList, ListDifference, Moves, tuples
from store.unit import StreamChange

# A worker that cannot begin an attempt leaves it to other workers for so long.
LATER = timedelta(seconds=3)

CLAIM = """
with due as (
  select execution_id, step from due_steps where owner is null and due_at <= now()
  order by due_at limit %s for update skip locked)
update due_steps d set owner = %s from due
where d.execution_id = due.execution_id and d.step = due.step
returning d.execution_id, d.step, d.attempt"""

RENEW = """
insert into workers (worker_id, host, pid, lease_until) values (%s, %s, %s, now() + %s)
on conflict (worker_id) do update set lease_until = excluded.lease_until"""

# Rows whose worker is gone or late go back on the list. The statement skips rows that another transaction has locked.
RELEASE_LOST = """
with lost as (
  select d.execution_id, d.step from due_steps d
  where d.owner is not null and not exists (
    select from workers w where w.worker_id = d.owner and w.lease_until > now())
  for update of d skip locked)
update due_steps d set owner = null from lost
where d.execution_id = lost.execution_id and d.step = lost.step"""

FORGET_LOST = "delete from workers where lease_until < now() - interval '1 hour'"


def claim(connection: Connection[Any], owner: UUID, limit: int) -> list[tuple[UUID, str, int]]:
    """Give `owner` up to `limit` due attempts that no worker has: (execution_id, step, attempt), oldest first."""
    rows = connection.execute(CLAIM, (limit, owner), prepare=True, binary=True).fetchall()
    return [(row["execution_id"], row["step"], row["attempt"]) for row in rows]


def unclaim(connection: Connection[Any], owner: UUID, attempts: list[tuple[UUID, str]]) -> None:
    """Put attempts that `owner` claimed but will not begin back on the list."""
    connection.execute(
        """update due_steps d set owner = null from unnest(%b, %b) as x(execution_id, step)
        where d.execution_id = x.execution_id and d.step = x.step and d.owner = %b""",
        (arrays.uuids([e for e, _ in attempts]), arrays.texts([s for _, s in attempts]), owner),
    )


def postpone(connection: Connection[Any], owner: UUID, attempts: list[tuple[UUID, str]]) -> None:
    """Put attempts that `owner` cannot begin back on the list, due a little later: other workers may come first."""
    if attempts:
        connection.execute(
            """update due_steps d set owner = null, due_at = now() + %b from unnest(%b, %b) as x(execution_id, step)
            where d.execution_id = x.execution_id and d.step = x.step and d.owner = %b""",
            (LATER, arrays.uuids([e for e, _ in attempts]), arrays.texts([s for _, s in attempts]), owner),
        )


def drop(connection: Connection[Any], owner: UUID, attempts: list[tuple[UUID, str]]) -> None:
    """Strike off attempts of `owner` that are over by the log, or are not in it."""
    connection.execute(
        """delete from due_steps d using unnest(%b, %b) as x(execution_id, step)
        where d.execution_id = x.execution_id and d.step = x.step and d.owner = %b""",
        (arrays.uuids([e for e, _ in attempts]), arrays.texts([s for _, s in attempts]), owner),
    )


def renew(connection: Connection[Any], owner: UUID, host: str, pid: int, lease: timedelta) -> None:
    """Record that `owner` lives, for another `lease`."""
    connection.execute(RENEW, (owner, host, pid, lease), prepare=True)


def release_lost(connection: Connection[Any]) -> int:
    """Put the attempts of workers that did not renew back on the list; return how many."""
    connection.execute(FORGET_LOST)
    return connection.execute(RELEASE_LOST).rowcount


def release_all(connection: Connection[Any], owner: UUID) -> int:
    """Put the attempts of the leaving worker `owner` back on the list, strike the worker off; return how many."""
    released = connection.execute("update due_steps set owner = null where owner = %s", (owner,)).rowcount
    connection.execute("delete from workers where worker_id = %s", (owner,))
    return released


def held(connection: Connection[Any], owner: UUID) -> set[tuple[UUID, str, int]]:
    """Return the attempts that `owner` has."""
    rows = connection.execute("select execution_id, step, attempt from due_steps where owner = %s", (owner,))
    return {(row["execution_id"], row["step"], row["attempt"]) for row in rows}


class DueStepMoves(Moves):
    """The attempts that one append puts on the list, and those it strikes off."""

    function = "move_due_steps_v1"

    def __init__(self) -> None:
        self._done: list[tuple[bytes, str]] = []
        self._due: dict[tuple[bytes, str], tuple[int, UUID | None]] = {}
        self._gone = False

    def _scheduled(self, event: StepScheduled, _change: StreamChange, stream: bytes, _version: int) -> None:
        self._due[stream, event.step] = event.attempt, None

    def _started(self, event: StepStarted, change: StreamChange, stream: bytes, _version: int) -> None:
        key = stream, event.step
        if key in self._due:
            self._due[key] = event.attempt, change.owner

    def _left(self, event: Any, _change: StreamChange, stream: bytes, _version: int) -> None:
        key = stream, event.step
        if self._due.pop(key, None) is None:
            self._done.append(key)

    def _abandoned(self, event: Any, change: StreamChange, stream: bytes, version: int) -> None:
        self._left(event, change, stream, version)
        if change.owner is None:
            self._gone = True  # a worker may have a call open whose answer the log no longer needs

    handlers = {
        StepScheduled: _scheduled,
        StepStarted: _started,
        **dict.fromkeys(LEAVES_WORKER, _left),
        **dict.fromkeys(ABANDONS_ATTEMPT, _abandoned),
    }

    def arguments(self) -> Arguments:
        """Return the attempts to strike off, and those to put on."""
        if not (self._due or self._done or self._gone):
            return ()
        return (
            arrays.uuid_bytes([stream for stream, _ in self._done]),
            arrays.texts([step for _, step in self._done]),
            arrays.uuid_bytes([stream for stream, _ in self._due]),
            arrays.texts([step for _, step in self._due]),
            arrays.ints([attempt for attempt, _ in self._due.values()]),
            arrays.uuids([owner for _, owner in self._due.values()]),
            self._gone,
        )


LISTED = "select execution_id, step, attempt from due_steps"
STRIKE = """delete from due_steps d using unnest(%b, %b) as x(execution_id, step)
where d.execution_id = x.execution_id and d.step = x.step"""
INSERT = """insert into due_steps (execution_id, step, attempt, due_at) select * from unnest(%b, %b, %b, %b)"""

SCHEDULED = STORED_NAMES[StepScheduled]


class _Step(msgspec.Struct, gc=False):
    """The fields of an event that the fold reads."""

    step: str
    at: datetime
    attempt: int = 0


_decode = msgspec.json.Decoder(_Step).decode


class DueStepsProof(FoldingProof):
    """Every attempt that was scheduled and is work for a worker still, with the time since which it is due."""

    topics = (SCHEDULED, *sorted(STORED_NAMES[kind] for kind in LEAVES_WORKER))

    def __init__(self) -> None:
        self._due: dict[tuple[bytes, str], tuple[int, datetime]] = {}

    def fold(self, rows: Iterable[TupleRow]) -> None:
        for _, stream, _, topic, state in rows:
            event = _decode(state)
            if topic == SCHEDULED:
                self._due[stream, event.step] = event.attempt, event.at
            else:
                self._due.pop((stream, event.step), None)

    def compare(self, connection: Connection[Any]) -> tuple[int, list[ListDifference]]:
        expected, listed = {key: attempt for key, (attempt, _) in self._due.items()}, _listed(connection)
        differing = sorted(key for key in expected.keys() | listed.keys() if expected.get(key) != listed.get(key))
        return len(expected), [_difference(key, listed.get(key), expected.get(key)) for key in differing]

    def put_right(self, connection: Connection[Any]) -> None:
        listed, due = _listed(connection), self._due
        wrong = [key for key, attempt in listed.items() if key not in due or due[key][0] != attempt]
        missing = [(*key, *row) for key, row in due.items() if listed.get(key) != row[0]]
        if wrong:
            executions = arrays.uuid_bytes([execution for execution, _ in wrong])
            connection.execute(STRIKE, (executions, arrays.texts([step for _, step in wrong])))
        if missing:
            ids, steps, attempts, times = zip(*missing, strict=True)
            columns = arrays.uuid_bytes(ids), arrays.texts(steps), arrays.ints(attempts), arrays.timestamptzs(times)
            connection.execute(INSERT, columns)


def _listed(connection: Connection[Any]) -> dict[tuple[bytes, str], int]:
    return {(execution, step): attempt for execution, step, attempt in tuples(connection, LISTED)}


def _difference(key: tuple[bytes, str], listed: int | None, expected: int | None) -> ListDifference:
    def row(attempt: int | None) -> dict[str, Any] | None:
        return None if attempt is None else {"attempt": attempt}

    shown = {"execution_id": str(UUID(bytes=key[0])), "step": key[1]}
    return ListDifference(DUE_STEPS.name, shown, row(listed), row(expected))


DUE_STEPS = KeptList("due_steps", DueStepMoves, DueStepsProof)
