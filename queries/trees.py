"""The execution tree of a whole run: a root and all its descendants, in the order of their starts."""

from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import DictRow

from queries.amounts import COSTS
from queries.execution_list import LIST, ErrorSummary
from queries.filters import Where
from queries.paging import Page, page_of, read_position, write_cursor
from queries.reading import Reading, fetch
from store.archive.executions import absent

TREE_LIMIT = 1_000

# The root and its descendants are found by two indexes; either gives at most one page.
_TREE = f"""
with whole as (select coalesce(root_id, execution_id) as id from execution_list where execution_id = %(id)s),
page as (
  (select l.position, l.execution_id from execution_list l where l.execution_id = (select id from whole) and {{where}})
  union all
  (select l.position, l.execution_id from execution_list l where l.root_id = (select id from whole) and {{where}}
   order by l.position limit %(rows)s)
  order by position limit %(rows)s)
select l.position, l.execution_id, l.process, l.version, l.status, l.parent_id, d.parent_step, d.parent_attempt,
  coalesce(l.depth, 0) as depth, l.body, l.item, l.item_key as key, l.round, l.started_at, l.ended_at,
  extract(epoch from l.ended_at - l.started_at)::float8 as duration, l.error_code, l.error_message,
  {COSTS.format(table="execution_list_costs", on="c.execution_id = l.execution_id")} as cost
from page join execution_list l using (execution_id) left join execution_detail d using (execution_id)
order by l.position"""
_KNOWN = "select from execution_list where execution_id = %s"


class TreeExecution(msgspec.Struct, frozen=True):
    """An execution of a tree. parent_id, parent_step, parent_attempt: the attempt that started it; None for the root.

    duration in seconds, None while it runs. cost: its own, one amount a currency. depth: 0 for the root. body, item,
    key, round: as in ExecutionSummary.
    """

    execution_id: UUID
    process: str
    version: int
    status: str
    parent_id: UUID | None
    parent_step: str | None
    parent_attempt: int | None
    depth: int
    started_at: datetime
    ended_at: datetime | None
    duration: float | None
    cost: msgspec.Raw
    error: ErrorSummary | None
    position: int
    body: str | None = None
    item: int | None = None
    key: str | None = None
    round: int | None = None


class TreeFilter(msgspec.Struct, frozen=True):
    """A filter of a tree's executions: their statuses, and names of processes or their beginnings, as ``claims-*``."""

    statuses: list[str] = []
    within: tuple[str, ...] = ()


def list_tree(
    reading: Reading,
    execution_id: UUID,
    filter: TreeFilter,
    *,
    cursor: str | None = None,
    limit: int = TREE_LIMIT,
    min_position: int | None = None,
) -> Page[TreeExecution]:
    """Return the executions of the run that an execution belongs to; a parent comes before its children.

    Raises NotFound, BadCursor or NotYet.
    """
    where = Where({"id": execution_id, "rows": limit + 1})
    where.add("l.position > {}", read_position("t", cursor, 0, reading))
    where.any_of("l.status", filter.statuses, "text")
    where.within("l.process", filter.within)
    with reading.of(LIST, min_position) as (connection, freshness):
        rows = fetch(connection, _TREE.format(where=where.sql), where.parameters)
        if not rows and not fetch(connection, _KNOWN, (execution_id,)):
            raise absent(connection, execution_id)
    items = [_execution(row) for row in rows]
    return page_of(items, limit, freshness, lambda row: write_cursor("t", row.position, freshness.epoch))


def _execution(row: DictRow) -> TreeExecution:
    code, message = row.pop("error_code"), row.pop("error_message")
    return TreeExecution(**row, error=None if code is None else ErrorSummary(code, message or ""))
