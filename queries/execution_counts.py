"""How many executions the usual filters of the list find, from a bounded number of rows each."""

from datetime import datetime

import msgspec

from queries.execution_list import LIST
from queries.filters import Where
from queries.reading import Reading, fetch

MOST_READ = 1_000

# The newest of a status, whatever they are, by its index; of these, the ones that the list shows are counted.
_OF_STATUS = f"""select '{{name}}' as name, count(*) filter (where l.parent_id is null and {{where}})::int as number,
  count(*) = {MOST_READ} as more
from (select l.parent_id, l.process, l.ended_at from execution_list l where l.status = '{{status}}'
  order by l.position desc limit {MOST_READ}) l"""
# One probe of the key of the list for each that waits.
_WAITING = f"""select 'waiting' as name, count(*) filter (where w.shown)::int as number, count(*) = {MOST_READ} as more
from (select (select l.parent_id is null and {{where}} from execution_list l where l.execution_id = w.execution_id)
  as shown from (
    select distinct execution_id from execution_list_waits where kind = 'approval' limit {MOST_READ}) w) w"""


class ExecutionCount(msgspec.Struct, frozen=True):
    """A number of executions that no other one started. more: whether there may be more; not all rows were read."""

    number: int
    more: bool


def count_executions(reading: Reading, since: datetime, *, within: tuple[str, ...] = ()) -> dict[str, ExecutionCount]:
    """Return how many executions are ``running``, ``compensating``, ``waiting`` for people, and ``failed`` since then.

    within: names of processes or their beginnings, as ``claims-*``. Raises ReadModelRebuilding.
    """
    where = Where({"since": since})
    where.within("l.process", within)
    parts = [_OF_STATUS.format(name=each, status=each, where=where.sql) for each in ("running", "compensating")]
    parts.append(_WAITING.format(where=where.sql))
    where.holds("l.ended_at >= %(since)s")
    parts.append(_OF_STATUS.format(name="failed", status="failed", where=where.sql))
    with reading.of(LIST) as (connection, _):
        rows = fetch(connection, " union all ".join(parts), where.parameters)
    return {row["name"]: ExecutionCount(row["number"], row["more"]) for row in rows}
