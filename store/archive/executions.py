"""The executions that left the log, as the database names them."""

from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.archive.refusals import ExecutionArchived
from domain.refusal import NotFound

_FILE = """select convert_from(e.state, 'UTF8')::json ->> 'file' as file
from archived_executions a join stored_events e on e.notification_id = a.position where a.execution_id = %s"""
_PROCESS = "select process from archived_executions where execution_id = %s"


def absent(connection: Connection[Any], execution_id: UUID) -> NotFound:
    """Return the refusal about an execution that the log does not have: it is archived, or there is none."""
    row = connection.execute(_FILE, (execution_id,)).fetchone()
    if row is None:
        return NotFound(f"there is no execution {execution_id}")
    return ExecutionArchived(
        f"execution {execution_id} is archived, in the file {row['file']}; "
        f"`procession archive show {execution_id} --from DIR` shows it",
        file=row["file"],
    )


def process_of_archived(connection: Connection[Any], execution_id: UUID) -> str | None:
    """Return the name of the process of an archived execution; None for every other."""
    row = connection.execute(_PROCESS, (execution_id,)).fetchone()
    return None if row is None else str(row["process"])
