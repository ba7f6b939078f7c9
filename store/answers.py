"""First answers of commands that carried an Idempotency-Key."""

from typing import Any

import msgspec
from psycopg import Connection

from store.datastore import Datastore

KEPT = "7 days"


class StoredAnswer(msgspec.Struct, frozen=True):
    """What was asked (digest), what was answered (JSON), and the position then."""

    fingerprint: bytes
    answer: bytes
    position: int


def find_answer(datastore: Datastore, key: str) -> StoredAnswer | None:
    """The first answer given for `key`, if it is still kept: seven days at least."""
    with datastore.reading() as connection:
        row = connection.execute(
            "select fingerprint, answer, position from idempotency_keys where key = %s", (key,), prepare=True
        ).fetchone()
    return None if row is None else StoredAnswer(bytes(row["fingerprint"]), bytes(row["answer"]), row["position"])


def forget_old_answers(connection: Connection[Any]) -> int:
    """Drop keys older than seven days; how many."""
    return connection.execute(f"delete from idempotency_keys where at < now() - interval '{KEPT}'").rowcount
