"""The due list of timers: which timers are due when, and which of them a worker has claimed."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.executions.timers import HEARTBEAT, TimerKey
from store import arrays
from store.lists.kept import Arguments, KeptList, ListDifference, Moves, Proof, tuples
from store.lists.running_timers import RunningTimers
from store.progress import Progress
from store.unit import StreamChange

Due = tuple[UUID, str, str]
"""(execution_id, step, kind)"""

# Other workers leave a claimed timer alone until so long after it is due; if its worker dies, it fires that much later.
CLAIMED_FOR = timedelta(seconds=3)

CLAIM = """
with due as (
  select execution_id, step, kind from due_timers
  where due_at <= %(until)s and (kind <> 'heartbeat' or due_at <= %(now)s)
    and (claimed_until is null or claimed_until < now())
  order by due_at limit %(limit)s for update skip locked)
update due_timers d set claimed_until = greatest(now(), due_at) + %(claimed_for)s
where d.execution_id = any(array(select execution_id from due))
  and ((d.execution_id, d.step, d.kind) in (select execution_id, step, kind from due)) is true
returning d.execution_id, d.step, d.kind, d.due_at"""

OF_KEYS = """d.execution_id = any(%(executions)b) and (
  (d.execution_id, d.step, d.kind) in (select * from unnest(%(executions)b, %(steps)b, %(kinds)b))) is true"""
RELEASE = f"update due_timers d set claimed_until = null where {OF_KEYS}"
DROP = f"delete from due_timers d where {OF_KEYS} and (d.due_at <= %(now)b) is true"

NEXT = "select min(due_at) as due_at from due_timers where claimed_until is null or claimed_until < now()"


def claim(connection: Connection[Any], now: datetime, until: datetime, limit: int) -> list[tuple[datetime, Due]]:
    """Claim up to `limit` timers that are due by `until` and that no worker has; return them by their times.

    Claim heartbeat timers only when they are due: until then a heartbeat may still put them off, in this list alone.
    """
    parameters = {"now": now, "until": until, "limit": limit, "claimed_for": CLAIMED_FOR}
    rows = connection.execute(CLAIM, parameters, prepare=True, binary=True).fetchall()
    return sorted((row["due_at"], (row["execution_id"], row["step"], row["kind"])) for row in rows)


def next_due(connection: Connection[Any]) -> datetime | None:
    """Return when the next timer that no worker has claimed is due; None when there is none."""
    row = connection.execute(NEXT, prepare=True).fetchone()
    due_at: datetime | None = row["due_at"] if row else None
    return due_at


def release(connection: Connection[Any], timers: list[Due]) -> None:
    """Let other workers claim timers that were claimed and not fired."""
    connection.execute(RELEASE, _columns(timers))


def drop(connection: Connection[Any], now: datetime, timers: list[Due]) -> None:
    """Strike off timers that were due at `now` and that do not run by the log."""
    connection.execute(DROP, {**_columns(timers), "now": now})


def put_off(connection: Connection[Any], timer: Due, due_at: datetime) -> None:
    """Make a timer due later, without a fact in the log: for heartbeats."""
    connection.execute(
        "update due_timers set due_at = %s where (execution_id, step, kind) = (%s, %s, %s)", (due_at, *timer)
    )


def _columns(timers: list[Due]) -> dict[str, arrays.Array]:
    return {
        "executions": arrays.uuids([execution for execution, _, _ in timers]),
        "steps": arrays.texts([step for _, step, _ in timers]),
        "kinds": arrays.texts([kind for _, _, kind in timers]),
    }


class DueTimerMoves(Moves):
    """The timers that one append sets, and those it drops."""

    function = "move_due_timers_v1"

    def __init__(self) -> None:
        self._dropped: list[tuple[bytes, TimerKey]] = []
        self._set: dict[tuple[bytes, TimerKey], datetime] = {}

    def add_change(self, change: StreamChange) -> None:
        """Collect the timers of `change`: they follow from the engine and the plan, not from single events."""
        if change.timers_set or change.timers_dropped:
            stream = change.stream.bytes
            for timer, due_at in change.timers_set.items():
                self._set[stream, timer] = due_at
            self._dropped += [(stream, timer) for timer in change.timers_dropped]

    def arguments(self) -> Arguments:
        """Return the timers to drop, and those to set."""
        if not (self._set or self._dropped):
            return ()
        return (
            arrays.uuid_bytes([stream for stream, _ in self._dropped]),
            arrays.texts([step for _, (step, _) in self._dropped]),
            arrays.texts([kind for _, (_, kind) in self._dropped]),
            arrays.uuid_bytes([stream for stream, _ in self._set]),
            arrays.texts([step for _, (step, _) in self._set]),
            arrays.texts([kind for _, (_, kind) in self._set]),
            arrays.timestamptzs(list(self._set.values())),
        )


LISTED = "select execution_id, step, kind, due_at from due_timers"
STRIKE = """delete from due_timers d using unnest(%b, %b, %b) as x(execution_id, step, kind)
where d.execution_id = x.execution_id and d.step = x.step and d.kind = x.kind"""
INSERT = """insert into due_timers (execution_id, step, kind, due_at) select * from unnest(%b, %b, %b, %b)
on conflict (execution_id, step, kind) do update set due_at = excluded.due_at, claimed_until = null"""

DueTimerKey = tuple[bytes, str, str]


class DueTimersProof(Proof):
    """The times of timers follow from the engine and the plans: the proof folds running executions as the engine does.

    A heartbeat timer that the list has for later than the log is right: heartbeats are not in the log.
    """

    def __init__(self) -> None:
        self._running: RunningTimers | None = None

    def read(self, connection: Connection[Any], after: int, until: int, progress: Progress) -> None:
        if self._running is None:
            self._running = RunningTimers(connection)
        self._running.read_to(until, progress)

    def compare(self, connection: Connection[Any]) -> tuple[int, list[ListDifference]]:
        listed, expected = _listed(connection), self._expected()
        differing = sorted(_surplus(listed, expected) | _missing(listed, expected))
        return len(expected), [_difference(key, listed.get(key), expected.get(key)) for key in differing]

    def put_right(self, connection: Connection[Any]) -> None:
        listed, expected = _listed(connection), self._expected()
        surplus, missing = list(_surplus(listed, expected)), list(_missing(listed, expected))
        if surplus:
            connection.execute(STRIKE, _key_columns(surplus))
        if missing:
            dues = arrays.timestamptzs([expected[key] for key in missing])
            connection.execute(INSERT, (*_key_columns(missing), dues))

    def _expected(self) -> dict[DueTimerKey, datetime]:
        assert self._running is not None
        return {
            (execution, step, kind): due_at
            for execution, timers in self._running.timers.items()
            for (step, kind), due_at in timers.items()
        }


def _surplus(listed: dict[DueTimerKey, datetime], expected: dict[DueTimerKey, datetime]) -> set[DueTimerKey]:
    return listed.keys() - expected.keys()


def _missing(listed: dict[DueTimerKey, datetime], expected: dict[DueTimerKey, datetime]) -> set[DueTimerKey]:
    """Return the timers that the list lacks, or has for another time."""
    return {key for key, due_at in expected.items() if not _right(key[2], listed.get(key), due_at)}


def _right(kind: str, listed: datetime | None, expected: datetime) -> bool:
    return listed == expected or (kind == HEARTBEAT and listed is not None and listed > expected)


def _listed(connection: Connection[Any]) -> dict[DueTimerKey, datetime]:
    return {(execution, step, kind): due_at for execution, step, kind, due_at in tuples(connection, LISTED)}


def _key_columns(keys: list[DueTimerKey]) -> tuple[arrays.Array, ...]:
    return (
        arrays.uuid_bytes([execution for execution, _, _ in keys]),
        arrays.texts([step for _, step, _ in keys]),
        arrays.texts([kind for _, _, kind in keys]),
    )


def _difference(key: DueTimerKey, listed: datetime | None, expected: datetime | None) -> ListDifference:
    def row(due_at: datetime | None) -> dict[str, Any] | None:
        return None if due_at is None else {"due_at": due_at.isoformat()}

    execution, step, kind = key
    shown = {"execution_id": str(UUID(bytes=execution)), "step": step, "kind": kind}
    return ListDifference(DUE_TIMERS.name, shown, row(listed), row(expected))


DUE_TIMERS = KeptList("due_timers", DueTimerMoves, DueTimersProof)
