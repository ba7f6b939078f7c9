"""The to-do list of the clock: what is due when, and who has it in hand."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection

from store import arrays

Due = tuple[UUID, str, str]
"""(execution_id, step, kind)"""

# Others leave a timer in hand alone until so long after it is due; should its worker die, it fires that much later.
IN_HAND = timedelta(seconds=3)

CLAIM = """
with due as (
  select execution_id, step, kind from due_timers
  where due_at <= %(until)s and (kind <> 'heartbeat' or due_at <= %(now)s)
    and (claimed_until is null or claimed_until < now())
  order by due_at limit %(limit)s for update skip locked)
update due_timers d set claimed_until = greatest(now(), due_at) + %(in_hand)s from due
where d.execution_id = due.execution_id and d.step = due.step and d.kind = due.kind
returning d.execution_id, d.step, d.kind, d.due_at"""

NEXT = "select min(due_at) as due_at from due_timers where claimed_until is null or claimed_until < now()"


def claim(connection: Connection[Any], now: datetime, until: datetime, limit: int) -> list[tuple[datetime, Due]]:
    """Take in hand up to `limit` timers that are due by `until` and that nobody has, earliest first, with their times.

    Heartbeats only when they are due: a sign of life may still put them off, here and nowhere else.
    """
    parameters = {"now": now, "until": until, "limit": limit, "in_hand": IN_HAND}
    rows = connection.execute(CLAIM, parameters, prepare=True, binary=True).fetchall()
    return sorted((row["due_at"], (row["execution_id"], row["step"], row["kind"])) for row in rows)


def next_due(connection: Connection[Any]) -> datetime | None:
    """When the next timer that nobody has in hand is due; None when there is none."""
    row = connection.execute(NEXT, prepare=True).fetchone()
    due_at: datetime | None = row["due_at"] if row else None
    return due_at


def release(connection: Connection[Any], timers: list[Due]) -> None:
    """Let others have timers that were taken in hand and not fired."""
    connection.execute(
        """update due_timers d set claimed_until = null from unnest(%b, %b, %b) as x(execution_id, step, kind)
        where d.execution_id = x.execution_id and d.step = x.step and d.kind = x.kind""",
        _columns(timers),
    )


def drop(connection: Connection[Any], now: datetime, timers: list[Due]) -> None:
    """Strike off timers that were due at `now` and that the log does not know, or knows no longer."""
    connection.execute(
        """delete from due_timers d using unnest(%b, %b, %b) as x(execution_id, step, kind)
        where d.execution_id = x.execution_id and d.step = x.step and d.kind = x.kind and d.due_at <= %b""",
        (*_columns(timers), now),
    )


def put_off(connection: Connection[Any], timer: Due, due_at: datetime) -> None:
    """Let a timer be due later, without a fact in the log: for signs of life."""
    connection.execute(
        "update due_timers set due_at = %s where (execution_id, step, kind) = (%s, %s, %s)", (due_at, *timer)
    )


def _columns(timers: list[Due]) -> tuple[arrays.Array, ...]:
    return (
        arrays.uuids([execution for execution, _, _ in timers]),
        arrays.texts([step for _, step, _ in timers]),
        arrays.texts([kind for _, _, kind in timers]),
    )
