"""The lines of processes with waiting executions, as a worker admits from them and as pages show them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow, tuple_row

from store import arrays

NO_LIMIT = 2**31 - 1
FURTHEST = 10_000
"""So many places of a line are counted."""

REVISION = "(select coalesce(max(e.originator_version), 0) from stored_events e where e.originator_id = {process})"
# Walks from process to process over the index.
WAITING = f"""
with recursive waiting(process_id) as (
  (select process_id from slot_lines where waiting > 0 order by process_id limit 1)
  union all
  select (select l.process_id from slot_lines l where l.waiting > 0 and l.process_id > w.process_id
          order by l.process_id limit 1)
  from waiting w where w.process_id is not null)
select w.process_id, {REVISION.format(process="w.process_id")} from waiting w where w.process_id is not null"""

# Of each process the lines with a free slot alone, however many have none; of each line as many as have a slot.
FIRST = f"""
select p.process_id, {REVISION.format(process="p.process_id")}, l.key, l.execution_id
from unnest(%(processes)b, %(limits)b) as p(process_id, most)
cross join lateral (
  select l.key, a.execution_id
  from (
    select key, running from slot_lines where process_id = p.process_id and {{of_line}} and running < p.most
    order by running) l
  cross join lateral (
    select a.execution_id from admissions a
    where a.process_id = p.process_id and a.key = l.key and not a.running{{of_execution}}
      and not exists (select from set_aside s where s.execution_id = a.execution_id and s.next_try > now())
    order by a.rank, a.position limit least(p.most - l.running, %(most)s)) a
  limit %(most)s) l"""
OF_ALL = FIRST.format(of_line="waiting > 0", of_execution="")
OF_CALLED = FIRST.format(of_line="called > 0", of_execution=" and a.called")

POSITION = f"""
select 1 + (select count(*) from (
  select from admissions b where b.process_id = a.process_id and b.key = a.key and not b.running
    and (b.rank, b.position) < (a.rank, a.position) limit {FURTHEST}) as before)
from admissions a where a.execution_id = %s and not a.running"""
LINES = """
select key, running, waiting from slot_lines where process_id = %s order by waiting desc, running desc, key limit %s"""


class Admissible(msgspec.Struct, frozen=True):
    """A process from whose lines executions may begin. limit: of each key at once; None for no limit.

    paused: only executions that others called begin.
    """

    process_id: UUID
    limit: int | None
    paused: bool = False


class Queue(msgspec.Struct, frozen=True):
    """The first executions of one line, in their order, as many as there are free slots.

    revision: the version of the process's stream.
    """

    process_id: UUID
    key: str
    waiting: list[UUID]
    revision: int = 0


class SlotLine(msgspec.Struct, frozen=True):
    """A line of a process: its key, empty for all without one, how many executions run and how many wait."""

    key: str
    running: int
    waiting: int


def processes(connection: Connection[Any]) -> list[tuple[UUID, int]]:
    """Return each process that has waiting executions, with the version of its stream; costs one step a process."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        return [(id, revision) for id, revision in cursor.execute(WAITING, prepare=True).fetchall()]


def queues(connection: Connection[Any], admissible: Sequence[Admissible], limit: int) -> list[Queue]:
    """Return of each process up to `limit` executions that may begin, by their lines, other than those set aside.

    Lines with fewer running executions come first. Costs one step a process, and one a row.
    """
    rows: list[TupleRow] = []
    for statement, paused in ((OF_ALL, False), (OF_CALLED, True)):
        chosen = [each for each in admissible if each.paused == paused]
        if chosen:
            limits = [NO_LIMIT if each.limit is None else each.limit for each in chosen]
            given = {
                "processes": arrays.uuids([each.process_id for each in chosen]),
                "limits": arrays.ints(limits),
                "most": limit,
            }
            with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
                rows += cursor.execute(statement, given, prepare=True).fetchall()
    found: dict[tuple[UUID, str], Queue] = {}
    for process_id, revision, key, execution_id in rows:
        queue = found.setdefault((process_id, key), Queue(process_id, key, [], revision))
        queue.waiting.append(execution_id)
    return list(found.values())


def position(connection: Connection[Any], execution_id: UUID) -> int | None:
    """Return the place of an execution in its line, from 1 to FURTHEST + 1 for any further one; None if it runs."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(POSITION, (execution_id,)).fetchone()
    return None if row is None else row[0]


def lines_of(connection: Connection[Any], process_id: UUID, limit: int) -> list[SlotLine]:
    """Return up to `limit` lines of a process, those with the most waiting executions first."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        return [SlotLine(*row) for row in cursor.execute(LINES, (process_id, limit)).fetchall()]
