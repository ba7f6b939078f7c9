"""Concurrency slots: the limit of a process with its lines, and the place of an execution in its line."""

from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow

from queries.reading import fetch
from store.lists.queues import SlotLine, lines_of, position

MOST_LINES = 20

_LIMIT = """select coalesce(v.definition #>> '{max_running,limit}', v.definition ->> 'max_running')::int as slot_limit
from process_catalogue p join process_versions v on v.process_id = p.process_id and v.version = p.latest_version
where p.process_id = %s"""


class SlotsOfProcess(msgspec.Struct, frozen=True):
    """The executions that a process lets run at once. limit: of each key. per: the expression that gives the key.

    lines: the 20 with the most waiting executions, of those in which any run or wait; a key is empty where it has none.
    """

    limit: int
    per: str | None
    lines: list[SlotLine]


class PlaceInLine(msgspec.Struct, frozen=True):
    """Where an execution waits. position: from 1; 10,001 stands for any further one. limit: None where none is set."""

    position: int
    limit: int | None


def slots_of(connection: Connection[Any], process_id: UUID, max_running: Any) -> SlotsOfProcess | None:
    """Return the slots of a process. max_running: as its latest version states it; None for a process without."""
    if max_running is None:
        return None
    limit, per = (max_running, None) if isinstance(max_running, int) else (max_running["limit"], max_running.get("per"))
    return SlotsOfProcess(limit, per, lines_of(connection, process_id, MOST_LINES))


def place_in_line(connection: Connection[DictRow], execution_id: UUID, process_id: UUID) -> PlaceInLine | None:
    """Return the place of an execution in its line; None if it waits in none."""
    found = position(connection, execution_id)
    if found is None:
        return None
    limits = fetch(connection, _LIMIT, (process_id,))
    return PlaceInLine(found, limits[0]["slot_limit"] if limits else None)
