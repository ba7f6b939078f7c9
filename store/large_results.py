"""Outputs that are too large for an event: each is stored once, beside the log, by the digest of its JSON."""

from typing import Any
from uuid import UUID

from psycopg import Connection

KEEP = "insert into large_results (execution_id, digest, content) values (%b, %b, %b) on conflict do nothing"
READ = "select content from large_results where execution_id = %s and digest = %s"


def keep(connection: Connection[Any], execution: UUID, digest: bytes, content: bytes) -> None:
    """Store the JSON text `content`, whose SHA-256 is `digest`, for an execution; it may be stored already."""
    connection.execute(KEEP, (execution, digest, content))


def read(connection: Connection[Any], execution: UUID, digest: bytes) -> bytes | None:
    """Return the JSON text of a digest; None if the execution has none of it."""
    row = connection.execute(READ, (execution, digest), binary=True).fetchone()
    return None if row is None else bytes(row["content"])
