"""Batches: the list; one, with its progress and the executions on which it could not act."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from domain.refusal import NotFound
from queries.filters import Where, liked
from queries.paging import DEFAULT_LIMIT, LARGEST, Page, page_of, read_position, write_cursor
from queries.reading import Reading, fetch

BATCHES = "batches"
MOST_REFUSED = 100

_COLUMNS = """b.batch_id, b.position, b.act, b.step, b.agent, b.filter, b.count, b.processes, b.first_executions,
  case when b.status = 'frozen' and b.expires_at < now() then 'expired' else b.status end as status,
  b.frozen_by, b.frozen_at, b.as_of_position as list_as_of_position, b.expires_at, b.run_by, b.reason, b.started_at,
  b.stopped_by, b.stop_reason, b.ended_at, b.done, b.unchanged,
  (select coalesce(json_agg(json_build_object('code', r.code, 'count', r.count) order by r.count desc, r.code), '[]')
   from batch_refusals r where r.batch_id = b.batch_id) as refused"""
_LIST = f"select {_COLUMNS} from batches b where {{where}} order by b.position desc limit %(rows)s"
_REFUSED = """select execution_id, code, message from batch_refused where batch_id = %(id)s
order by position, execution_id limit %(rows)s"""
# The names of its processes are a JSON list.
_WITHIN = """not exists (select from json_array_elements_text(b.processes) as p(name)
  where not p.name like any({}::text[]))"""


class RefusalCount(msgspec.Struct, frozen=True):
    """How many executions were refused with a code."""

    code: str
    count: int


class RefusedExecutionView(msgspec.Struct, frozen=True):
    """An execution on which the batch could not act, and why."""

    execution_id: UUID
    code: str
    message: str


class BatchSummary(msgspec.Struct, frozen=True):
    """A batch. count: of its executions; done, unchanged and refused add up to those gone through so far.

    status: frozen, running, ended, stopped, or expired: frozen too long ago. step, agent: null where the act names
    none. unchanged: executions in which the act had been done before. refused: by code, the most frequent first.
    processes: that the executions run. first_executions: of the list, at most 20. list_as_of_position: the place in the
    log up to which the list is complete. ended_at: when the list was gone through, or the batch stopped.
    """

    batch_id: UUID
    act: str
    step: str | None
    agent: str | None
    filter: msgspec.Raw
    status: str
    count: int
    done: int
    unchanged: int
    refused: list[RefusalCount]
    processes: list[str]
    first_executions: list[UUID]
    frozen_by: str
    frozen_at: datetime
    expires_at: datetime
    list_as_of_position: int
    run_by: str | None
    reason: str | None
    started_at: datetime | None
    stopped_by: str | None
    stop_reason: str | None
    ended_at: datetime | None
    position: int

    @property
    def refused_count(self) -> int:
        """The number of executions on which the batch could not act."""
        return sum(each.count for each in self.refused)

    @property
    def passed(self) -> int:
        """The number of executions gone through."""
        return self.done + self.unchanged + self.refused_count

    @property
    def words(self) -> dict[str, Any]:
        """The words of the filter with their values."""
        found: dict[str, Any] = msgspec.json.decode(self.filter)
        return found


class BatchView(BatchSummary, frozen=True, kw_only=True):
    """A batch, with the first executions on which it could not act, at most 100."""

    refused_executions: list[RefusedExecutionView]
    as_of_position: int
    lag_seconds: float


def list_batches(
    reading: Reading,
    *,
    within: tuple[str, ...] = (),
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[BatchSummary]:
    """Return batches, the newest first. within: every process of a batch has such a name. Raises BadCursor or NotYet.

    within: names of processes or their beginnings, as ``claims-*``; empty: any.
    """
    where = Where({"rows": limit + 1})
    where.holds("b.position is not null")
    where.add("b.position < {}", None if cursor is None else read_position("batch", cursor, LARGEST, reading))
    where.add(_WITHIN, liked(within) if within else None)
    with reading.of(BATCHES, min_position) as (connection, freshness):
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
    views = [BatchSummary(**_fields(row)) for row in rows]
    return page_of(views, limit, freshness, lambda view: write_cursor("batch", view.position, freshness.epoch))


def get_batch(reading: Reading, id: UUID, *, min_position: int | None = None) -> BatchView:
    """Return a batch. Raises NotFound or NotYet."""
    where = Where({"rows": 1})
    where.add("b.batch_id = {}", id)
    with reading.of(BATCHES, min_position) as (connection, freshness):
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
        refused = fetch(connection, _REFUSED, {"id": id, "rows": MOST_REFUSED})
    if not rows:
        raise NotFound(f"there is no batch {id}")
    return BatchView(
        **_fields(rows[0]),
        refused_executions=[RefusedExecutionView(**row) for row in refused],
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
    )


def _fields(row: DictRow) -> DictRow:
    return row | {
        "step": row["step"] or None,
        "agent": row["agent"] or None,
        "refused": msgspec.json.decode(row["refused"], type=list[RefusalCount]),
        "processes": msgspec.json.decode(row["processes"], type=list[str]),
        "first_executions": msgspec.json.decode(row["first_executions"], type=list[UUID]),
    }
