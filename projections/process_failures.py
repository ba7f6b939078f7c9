"""Which executions failed, and of which process: one that goes on is no longer counted as failed in process_catalogue.

The event that says so does not name the process, and the catalogue has a row a process.
"""

from typing import Any

from psycopg import Connection

from store import arrays

DDL = """create table process_failures (
      execution_id uuid primary key,
      process_id uuid not null
    );"""

RETRY = """
with gone as (
  delete from process_failures f using unnest(%b, %b) as x(execution_id, position)
  where f.execution_id = x.execution_id returning f.execution_id, f.process_id, x.position),
of_process as (
  select process_id, count(*) as n, max(position) as position, array_agg(execution_id) as executions
  from gone group by process_id)
update process_catalogue t set failed = t.failed - p.n, last_position = greatest(t.last_position, p.position),
  last_execution_status = case when t.last_execution_id = any(p.executions) then 'running'
    else t.last_execution_status end
from of_process p where t.process_id = p.process_id"""

FORGET = "delete from process_failures f using unnest(%b) as x(execution_id) where f.execution_id = x.execution_id"
KEEP = """
insert into process_failures (execution_id, process_id) select * from unnest(%b, %b)
on conflict (execution_id) do nothing"""


def write(connection: Connection[Any], retried: dict[bytes, int], failed: dict[bytes, bytes | None]) -> None:
    """Count off in process_catalogue those that went on after an earlier failure, and keep who has failed now.

    retried: executions, and where they went on. failed: executions and their process; None when it failed no more.
    """
    if retried:
        columns = arrays.uuid_bytes(list(retried)), arrays.bigints(list(retried.values()))
        connection.execute(RETRY, columns, prepare=True)
    gone = [execution for execution, process in failed.items() if process is None]
    if gone:
        connection.execute(FORGET, (arrays.uuid_bytes(gone),), prepare=True)
    kept = {execution: process for execution, process in failed.items() if process is not None}
    if kept:
        pairs = arrays.uuid_bytes(list(kept)), arrays.uuid_bytes(list(kept.values()))
        connection.execute(KEEP, pairs, prepare=True)
