"""First answers of commands that carried an Idempotency-Key."""

from typing import Any

import msgspec
from psycopg import Connection

from store.datastore import Datastore

KEPT = "7 days"


class StoredAnswer(msgspec.Struct, frozen=True):
    """A digest of a request, its first answer (JSON), and the position in the log that the answer states."""

    fingerprint: bytes
    answer: bytes
    position: int


def find_answer(datastore: Datastore, key: str) -> StoredAnswer | None:
    """Return the first answer to `key`, which the store keeps for seven days at least; None without one."""
    with datastore.reading() as connection:
        row = connection.execute(
            "select fingerprint, answer, position from idempotency_keys where key = %s", (key,), prepare=True
        ).fetchone()
    return None if row is None else StoredAnswer(bytes(row["fingerprint"]), bytes(row["answer"]), row["position"])


def forget_old_answers(connection: Connection[Any]) -> int:
    """Drop keys older than seven days; return how many."""
    return connection.execute(f"delete from idempotency_keys where at < now() - interval '{KEPT}'").rowcount
