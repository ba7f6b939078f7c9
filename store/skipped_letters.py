"""Dead letters that an operator has skipped: the read model goes on without the event, and no longer counts it."""

from typing import Any

from psycopg import Connection

SKIP = """insert into skipped_letters (projection, position, actor, reason)
select projection, position, %s, %s from dead_letters where projection = %s and position = %s
on conflict (projection, position) do nothing returning position"""
EXISTS = "select from dead_letters where projection = %s and position = %s"


def skip(connection: Connection[Any], projection: str, position: int, actor: str, reason: str) -> bool:
    """Skip a dead letter; return whether it was not skipped before."""
    return connection.execute(SKIP, (actor, reason, projection, position)).fetchone() is not None


def is_letter(connection: Connection[Any], projection: str, position: int) -> bool:
    """Return whether the tables in use lack the event at `position`."""
    return connection.execute(EXISTS, (projection, position)).fetchone() is not None
