"""The cause of a failure: the failed step, in the execution or in one below it, for which the execution failed."""

from uuid import UUID

import msgspec

from queries.execution_detail import DETAIL
from queries.reading import Reading, fetch
from store.archive.executions import absent

DEEPEST = 1_000

# The step for which an execution failed is the last one that failed; a compensation only follows it. A step that goes
# through items and counts no failed one did not fail for a child.
_FAILED_STEP = """
  cross join lateral (
    select s.step, s.attempt, s.items is null or s.items_failed > 0 as called from execution_steps s
    where s.execution_id = {of}.execution_id and s.status in ('failed', 'timed_out') and strpos(s.step, '.') = 0
    order by s.ended_at desc nulls last, s.last_position desc limit 1) f"""
# Items begin in their order, and a failed one most often ends its step: the index is read from the last item back.
_CAUSE = f"""
with recursive cause(execution_id, process, step, attempt, called, distance) as (
  select d.execution_id, d.process, f.step, f.attempt, f.called, 0
  from execution_detail d {_FAILED_STEP.format(of="d")}
  where d.execution_id = %s and d.status in ('failed', 'compensating')
  union all
  select c.execution_id, c.process, f.step, f.attempt, f.called, a.distance + 1
  from cause a
  cross join lateral (
    select d.execution_id, d.process from execution_detail d
    where d.parent_id = a.execution_id and d.parent_step = a.step and d.parent_attempt = a.attempt
      and d.status = 'failed'
    order by d.item desc nulls first limit 1) c {_FAILED_STEP.format(of="c")}
  where a.called and a.distance < {DEEPEST})
select execution_id, process, step, attempt, distance from cause order by distance desc limit 1"""
_KNOWN = "select from execution_detail where execution_id = %s"


class FailureCause(msgspec.Struct, frozen=True):
    """The attempt of a step that caused a failure. distance: the number of executions between; 0: its own step."""

    execution_id: UUID
    process: str
    step: str
    attempt: int | None
    distance: int


class FoundCause(msgspec.Struct, frozen=True):
    """The cause of an execution's failure, None if it has not failed, and how fresh this is."""

    execution_id: UUID
    cause: FailureCause | None
    as_of_position: int
    lag_seconds: float


def find_cause(reading: Reading, execution_id: UUID, *, min_position: int | None = None) -> FoundCause:
    """Return the cause of the failure of an execution, however deep. Raises NotFound or NotYet."""
    with reading.of(DETAIL, min_position) as (connection, freshness):
        rows = fetch(connection, _CAUSE, (execution_id,))
        if not rows and not fetch(connection, _KNOWN, (execution_id,)):
            raise absent(connection, execution_id)
    cause = FailureCause(**rows[0]) if rows else None
    return FoundCause(execution_id, cause, freshness.as_of_position, freshness.lag_seconds)
