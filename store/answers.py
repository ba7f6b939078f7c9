"""First answers of commands that carried an Idempotency-Key."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from psycopg import Connection

from store.datastore import Datastore

KEPT = "7 days"
BATCH = 1_000
LOCK = 4716

# By physical place, whatever columns a key consists of; one worker at a time.
FORGET = f"""
with turn as materialized (select pg_try_advisory_xact_lock({LOCK}) as mine),
old as (
  select k.ctid as place from turn cross join lateral (
    select ctid from idempotency_keys
    where turn.mine and at < now() - interval '{KEPT}' and at >= %(since)s
    order by at limit {BATCH} for update skip locked) as k)
delete from idempotency_keys k using old where k.ctid = old.place returning k.at"""


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


def forget_old_answers(connection: Connection[Any], since: datetime | None = None) -> datetime | None:
    """Drop up to BATCH keys older than seven days, the oldest first; return from which time on there may be more.

    since: what the call before returned. Returns None when this call found none, or another worker drops them now.
    """
    rows = connection.execute(FORGET, {"since": since or datetime.min.replace(tzinfo=UTC)}).fetchall()
    times: list[datetime] = [row["at"] for row in rows]
    return max(times, default=None) if len(rows) == BATCH else None
