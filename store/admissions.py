"""Executions of processes that limit how many run at once: who waits, in the order they came, and how many run."""

from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row

# Walks from process to process over the index, and reads of each one's queue no more than its beginning.
WAITING = """
with recursive waiting(process_id) as (
  (select process_id from admissions where not running order by process_id limit 1)
  union all
  select (select a.process_id from admissions a where not a.running and a.process_id > w.process_id
          order by a.process_id limit 1)
  from waiting w where w.process_id is not null)
select w.process_id,
  (select count(*) from admissions a where a.process_id = w.process_id and a.running),
  array(select a.execution_id from admissions a where a.process_id = w.process_id and not a.running
        order by a.position limit %s)
from waiting w where w.process_id is not null"""


class Queue(msgspec.Struct, frozen=True):
    """A process for which executions wait: how many run, and the first of those that wait, in their order."""

    process_id: UUID
    running: int
    waiting: list[UUID]


def room(connection: Connection[Any], limit: int) -> list[Queue]:
    """Every process that has waiting executions, with up to `limit` of these.

    Costs one step a process, one row of an index for each execution that runs of it, and `limit` rows.
    """
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        rows = cursor.execute(WAITING, (limit,), prepare=True).fetchall()
    return [Queue(*row) for row in rows]
