"""The status of the newest execution of each process, which process_catalogue shows."""

from datetime import datetime
from typing import Any

from psycopg import Connection

from store import arrays

Now = tuple[str, datetime | None]
"""The status of an execution, and when it began where that has changed."""

CHANGE = """
update process_catalogue t
set last_execution_status = x.status, last_started_at = coalesce(x.started_at, t.last_started_at)
from unnest(%b, %b, %b, %b) as x(process_id, execution_id, status, started_at)
where t.process_id = x.process_id and t.last_execution_id = x.execution_id"""


def write(connection: Connection[Any], changed: dict[bytes, dict[bytes, Now]]) -> None:
    """Show the new status of those executions, given by process, that are the newest of their process."""
    found = [(process, execution, *now) for process, of in changed.items() for execution, now in of.items()]
    if found:
        columns = (
            arrays.uuid_bytes([process for process, _, _, _ in found]),
            arrays.uuid_bytes([execution for _, execution, _, _ in found]),
            arrays.texts([status for _, _, status, _ in found]),
            arrays.timestamptzs([started_at for _, _, _, started_at in found]),
        )
        connection.execute(CHANGE, columns, prepare=True)
