"""Every execution that a filter finds, at one position: the list that acts on many begin from."""

from uuid import UUID

import msgspec

from domain.refusal import Malformed, Problem
from queries.execution_list import LIST, ExecutionFilter, read_beside, where_matching
from queries.execution_orders import ORDERS
from queries.filters import Where
from queries.reading import Reading, fetch

COUNTED = 1_000_000
_NEWEST = ORDERS["newest"].sql
_MATCHING = f"""select l.execution_id, l.process from execution_list l where {{where}}
order by {_NEWEST} limit %(rows)s"""
_COUNT = f"""select count(*) as count from (
  select from execution_list l where {{where}} limit {COUNTED}) as found"""


class TooManyMatch(Malformed):
    """The filter finds more executions than may be acted on at once."""

    code = "too_many_executions"


class MatchingExecutions(msgspec.Struct, frozen=True):
    """The executions, the newest first; the names of their processes; the position up to which they are complete."""

    executions: tuple[UUID, ...]
    processes: tuple[str, ...]
    as_of_position: int


def list_matching_executions(
    reading: Reading, filter: ExecutionFilter, most: int, *, min_position: int | None = None
) -> MatchingExecutions:
    """Return every execution that the filter finds, by one statement. Raises TooManyMatch beyond `most`, or NotYet."""
    where = Where({"rows": most + 1})
    where_matching(where, reading, filter, _NEWEST)
    with reading.of(LIST, min_position, beside=read_beside(filter)) as (connection, freshness):
        rows = fetch(connection, _MATCHING.format(where=where.sql), where.parameters)
        if len(rows) > most:
            (found,) = fetch(connection, _COUNT.format(where=where.sql), where.parameters)
            raise _too_many(found["count"], most)
    processes = tuple(sorted({row["process"] for row in rows}))
    return MatchingExecutions(tuple(row["execution_id"] for row in rows), processes, freshness.as_of_position)


def _too_many(count: int, most: int) -> TooManyMatch:
    more = " or more" if count == COUNTED else ""
    message = f"the filter finds {count:,}{more} executions; at most {most:,} are acted on at once"
    hint = "narrow it by process, version, from and to, or failed_step; an operator sets PROCESSION_MAX_BATCH"
    refusal = TooManyMatch(message, [Problem(TooManyMatch.code, message, "filter", hint=hint)])
    refusal.details["count"] = count
    return refusal
