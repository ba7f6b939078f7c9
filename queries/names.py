"""Names that exist: whether a stream does, and the name nearest to one that does not."""

from collections.abc import Collection
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow

from domain.words import did_you_mean
from queries.reading import fetch

COMPARED = 300

_NAMES = {
    "process": "select name from process_catalogue where abs(length(name) - {length}) <= 2 + {length} / 2",
    "agent": "select name from agent_directory where abs(length(name) - {length}) <= 2 + {length} / 2",
}
_BEGUN = """select originator_id from stored_events
where originator_id = any(%s) and originator_version = 1 and topic = any(%s)"""
FIRST_EVENTS = {"process": ["ProcessDrafted"], "execution": ["ExecutionStarted"]}


def nearest_hint(connection: Connection[DictRow], noun: str, name: str) -> str:
    """Return a hint with the name of a `noun`, process or agent, that is nearest to `name`; empty without one.

    Compares a bounded number of names. While the read model of these names is being built, there is no hint.
    """
    query = _NAMES[noun].format(length=len(name)) + " order by abs(length(name) - %s), name limit %s"
    try:
        rows = fetch(connection, query, (len(name), COMPARED))
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return ""
    return did_you_mean(name, [row["name"] for row in rows])


def missing_ids(connection: Connection[DictRow], noun: str, ids: Collection[UUID]) -> set[UUID]:
    """Return those of `ids` that no process, or no execution, has in the log."""
    rows = fetch(connection, _BEGUN, (list(ids), FIRST_EVENTS[noun]))
    return set(ids) - {row["originator_id"] for row in rows}
