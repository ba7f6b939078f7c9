"""Workers: those that hold a lease, or held one, and the attempts that they have claimed."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from queries.filters import Where
from queries.metrics import MOST
from queries.paging import DEFAULT_LIMIT, Page, bad_cursor, page_of, read_cursor, write_cursor
from queries.reading import Reading, fetch

SHOWN = 20

_ORDER = ("w.started_at", "w.worker_id")
_LIST = f"""
select w.worker_id, w.host, w.pid, w.started_at, w.lease_until, w.lease_until > now() as alive, held.n as holds
from workers w
cross join lateral (select count(*) as n from (
  select from due_steps where owner = w.worker_id limit {MOST}) as counted) held
where {{where}} order by {", ".join(_ORDER)} limit %(rows)s"""
_HELD = f"""
select owner, held.* from unnest(%s::uuid[]) as owner
cross join lateral (select execution_id, step, attempt, agent from due_steps d where d.owner = owner.owner
  order by due_at, execution_id, step limit {SHOWN}) held"""


class ClaimedAttempt(msgspec.Struct, frozen=True):
    """An attempt that a worker has claimed: an open call, or one that is about to begin."""

    execution_id: UUID
    step: str
    attempt: int
    agent: str


class WorkerView(msgspec.Struct, frozen=True):
    """A worker. alive: its lease has not run out; other workers take over the attempts of one that is not.

    holds: the number of attempts that it has claimed; 10000 stands for 10000 or more. held: the first 20 of them.
    """

    worker_id: UUID
    host: str
    pid: int
    started_at: datetime
    lease_until: datetime
    alive: bool
    holds: int
    held: list[ClaimedAttempt]


def list_workers(reading: Reading, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT) -> Page[WorkerView]:
    """Return workers, the longest running first, from the main server. Raises BadCursor or Outage."""
    where = Where({"rows": limit + 1})
    if cursor is not None:
        where.beyond(_ORDER, _read_cursor(cursor))
    with reading.log() as (_, freshness):
        pass
    # The lists move with every append; a replica may show attempts that have ended.
    with reading.progress.main.reading() as connection:
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
        held: dict[UUID, list[ClaimedAttempt]] = {row["worker_id"]: [] for row in rows}
        for each in fetch(connection, _HELD, (list(held),)):
            held[each.pop("owner")].append(ClaimedAttempt(**each))
    found = [WorkerView(**row, held=held[row["worker_id"]]) for row in rows]
    return page_of(found, limit, freshness, _cursor)


def _cursor(row: WorkerView) -> str:
    return write_cursor("w", f"{row.started_at.astimezone(UTC).isoformat()} {row.worker_id}")


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    started_at, _, id = read_cursor("w", cursor).partition(" ")
    try:
        at = datetime.fromisoformat(started_at)
        if at.tzinfo is None:
            raise ValueError("a time without a zone")
        return at, UUID(id)
    except ValueError:
        raise bad_cursor() from None
