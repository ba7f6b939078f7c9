"""The to-do list of workers: which attempts are due, who has them, and which workers live."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection

from store import arrays

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

# Rows whose worker is gone or late go back on the list. Locked rows are left to whoever has them.
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
    """Give `owner` up to `limit` due attempts that nobody has: (execution_id, step, attempt), oldest first."""
    rows = connection.execute(CLAIM, (limit, owner), prepare=True, binary=True).fetchall()
    return [(row["execution_id"], row["step"], row["attempt"]) for row in rows]


def unclaim(connection: Connection[Any], owner: UUID, attempts: list[tuple[UUID, str]]) -> None:
    """Put attempts that `owner` claimed but will not begin back on the list."""
    connection.execute(
        """update due_steps d set owner = null from unnest(%b, %b) as x(execution_id, step)
        where d.execution_id = x.execution_id and d.step = x.step and d.owner = %b""",
        (arrays.uuids([e for e, _ in attempts]), arrays.texts([s for _, s in attempts]), owner),
    )


def drop(connection: Connection[Any], owner: UUID, attempts: list[tuple[UUID, str]]) -> None:
    """Strike off attempts of `owner` that the log knows to be over or never knew."""
    connection.execute(
        """delete from due_steps d using unnest(%b, %b) as x(execution_id, step)
        where d.execution_id = x.execution_id and d.step = x.step and d.owner = %b""",
        (arrays.uuids([e for e, _ in attempts]), arrays.texts([s for _, s in attempts]), owner),
    )


def renew(connection: Connection[Any], owner: UUID, host: str, pid: int, lease: timedelta) -> None:
    """Say that `owner` lives, for another `lease`."""
    connection.execute(RENEW, (owner, host, pid, lease), prepare=True)


def release_lost(connection: Connection[Any]) -> int:
    """Put the attempts of workers that did not renew back on the list; how many."""
    connection.execute(FORGET_LOST)
    return connection.execute(RELEASE_LOST).rowcount


def release_all(connection: Connection[Any], owner: UUID) -> int:
    """The worker `owner` leaves: put what it still has back on the list, and strike it off; how many."""
    released = connection.execute("update due_steps set owner = null where owner = %s", (owner,)).rowcount
    connection.execute("delete from workers where worker_id = %s", (owner,))
    return released


def held(connection: Connection[Any], owner: UUID) -> set[tuple[UUID, str, int]]:
    """The attempts that `owner` has."""
    rows = connection.execute("select execution_id, step, attempt from due_steps where owner = %s", (owner,))
    return {(row["execution_id"], row["step"], row["attempt"]) for row in rows}
