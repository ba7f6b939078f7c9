"""The published versions of one process, and the executions of it that have not ended."""

from datetime import datetime
from uuid import UUID

import msgspec

from queries.filters import Where
from queries.paging import DEFAULT_LIMIT, LARGEST, Page, page_of, read_position, write_cursor
from queries.processes import CATALOGUE
from queries.reading import Reading, fetch

COUNTED = 1_000

_LIST = """select v.version, v.published_at, v.actor from process_versions v
where {where} order by v.version desc limit %(rows)s"""
_OPEN = """select {counts}"""
_COUNT = """(select count(*) from (select 1 from execution_list
  where process_id = %(process)s and status = '{status}' limit %(most)s) as found) as {status}"""
_COUNTS = _OPEN.format(
    counts=",\n  ".join(_COUNT.format(status=each) for each in ("queued", "running", "compensating"))
)


class VersionSummary(msgspec.Struct, frozen=True):
    """A published version in the list."""

    version: int
    published_at: datetime
    actor: str | None


class OpenExecutions(msgspec.Struct, frozen=True):
    """The executions of a process that have not ended; each number is COUNTED + 1 at most, which means more."""

    queued: int
    running: int
    compensating: int


def list_process_versions(
    reading: Reading,
    process_id: UUID,
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    min_position: int | None = None,
) -> Page[VersionSummary]:
    """Return the versions of a process, the newest first. Raises BadCursor or NotYet."""
    where = Where({"rows": limit + 1})
    where.add("v.process_id = {}", process_id)
    where.add("v.version < {}", read_position("v", cursor, LARGEST) if cursor is not None else None)
    with reading.of(CATALOGUE, min_position) as (connection, freshness):
        rows = fetch(connection, _LIST.format(where=where.sql), where.parameters)
    found = [VersionSummary(**row) for row in rows]
    return page_of(found, limit, freshness, lambda row: write_cursor("v", row.version))


def open_executions(reading: Reading, process_id: UUID) -> OpenExecutions:
    """Return how many executions of a process have not ended, counted up to a bound."""
    with reading.of("execution_list") as (connection, _):
        rows = fetch(connection, _COUNTS, {"process": process_id, "most": COUNTED + 1})
    return OpenExecutions(**rows[0])
