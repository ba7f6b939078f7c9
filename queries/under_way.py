"""The executions under way in numbers, and the work that is due."""

import msgspec
from psycopg.rows import DictRow

from queries.exchange import Question, answer
from queries.execution_list import LIST, UNDER_WAY
from queries.filters import Where
from queries.metrics import get_measures
from queries.reading import Freshness, Reading

MOST_UNDER_WAY = 1_000

# One scan of the index by status for each: most executions have ended, and a scan of the table would pass them all. The
# waits are probed by their index for each execution, without a join.
_COUNT = f"""
select count(*)::int as executions, count(*) filter (where waits)::int as waiting from (
  select exists (select from execution_list_waits w
    where w.execution_id = l.execution_id and w.kind in ('approval', 'timer')) as waits
  from unnest(array{list(UNDER_WAY)}) as s(status) cross join lateral (
    select l.execution_id from execution_list l where l.status = s.status and {{where}} limit {MOST_UNDER_WAY}) l
  limit {MOST_UNDER_WAY}) counted"""


class ExecutionsUnderWay(msgspec.Struct, frozen=True):
    """The executions that have not ended, called ones included; 1000 stands for 1000 or more.

    waiting: those that wait for people or time.
    """

    executions: int
    waiting: int


class WorkDue(msgspec.Struct, frozen=True):
    """The work of workers. oldest: in seconds, how long a step or a timer has been due; 0 for none."""

    oldest: float
    overdue_timers: int
    workers: int


def count_under_way(reading: Reading, within: tuple[str, ...] = ()) -> ExecutionsUnderWay:
    """Return the number of executions under way. within: names of processes, or their beginnings."""
    return answer(reading, under_way_counted(within))


def under_way_counted(within: tuple[str, ...]) -> Question[ExecutionsUnderWay]:
    """Return the question for the number of executions under way."""
    where = Where()
    where.within("l.process", within)

    def view(rows: list[DictRow], _: Freshness) -> ExecutionsUnderWay:
        return ExecutionsUnderWay(**rows[0])

    return Question(LIST, _COUNT.format(where=where.sql), where.parameters, view)


def find_work_due(reading: Reading) -> WorkDue:
    """Return how long work has been due, from the main server. Raises Outage."""
    found = get_measures(
        reading, ("oldest_due_step_seconds", "oldest_overdue_timer_seconds", "overdue_timers", "live_workers")
    )
    oldest = max(found["oldest_due_step_seconds"], found["oldest_overdue_timer_seconds"])
    return WorkDue(oldest, int(found["overdue_timers"]), int(found["live_workers"]))
