"""The executions about which no decision succeeds: set aside with their error, tried again later, taken back."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row

from domain.catalogue import STORED_NAMES
from domain.executions.events.outcomes import ENDS_EXECUTION
from store.lists.outbox import OF_KEYS, columns_of
from store.sizes import is_full, page_query
from store.unit import MessageKey

MOST_TEXT = 2_000

ENDS = sorted(STORED_NAMES[kind] for kind in ENDS_EXECUTION)
# Reads no event: the execution may be one that does not fit into memory.
HAS_ENDED = """select from stored_events ending where originator_id = %(id)s and topic = any(%(ends)s) and not exists (
  select from stored_events retried where retried.originator_id = %(id)s and retried.topic = 'ExecutionRetried'
  and retried.originator_version > ending.originator_version) limit 1"""
OVERDUE = """select execution_id from set_aside where next_try < now() - %s and kind = 'execution'
order by next_try limit %s"""
# A failure before the next try counts as the same one: the function only postpones the rows again.
STILL = """select execution_id, set_aside_v1(execution_id, error, %s, %s) as next_try from set_aside
where execution_id = any(%s) and next_try > now()"""
# No statement joins a list, as migration 0038 says.
TRY_NOW = """with due as (
  update set_aside set next_try = now() where execution_id = %s returning execution_id),
steps as (
  update due_steps set due_at = now() where execution_id = (select execution_id from due) and owner is null),
timers as (
  update due_timers set claimed_until = null where execution_id = (select execution_id from due)),
messages as (
  update outbox set claimed_until = null where recipient = (select execution_id from due))
select pg_notify(%s, 'due message room aside') from due"""


def set_aside(
    connection: Connection[Any], execution: UUID, error: str, worker: UUID, open_steps: Collection[str]
) -> datetime | None:
    """Set an execution aside, or note one more failure; return when it is tried again. Postpone its rows until then.

    open_steps: the steps of the execution that `worker` has open; they stay its own. None: the execution has ended, as
    by an event that no engine decided; nothing is left to try, and its rows are struck off.
    """
    if connection.execute(HAS_ENDED, {"id": execution, "ends": ENDS}).fetchone() is not None:
        strike(connection, execution)
        return None
    parameters = (execution, storable(error), worker, list(open_steps))
    row = connection.execute("select set_aside_v1(%s, %s, %s, %s) as next_try", parameters).fetchone()
    assert row is not None
    next_try: datetime = row["next_try"]
    return next_try


def still_aside(
    connection: Connection[Any], executions: Collection[UUID], worker: UUID, open_steps: Collection[str]
) -> dict[UUID, datetime]:
    """Return which of these are set aside and wait, and until when; postpone their rows until then."""
    rows = connection.execute(STILL, (worker, list(open_steps), list(executions))).fetchall()
    return {row["execution_id"]: row["next_try"] for row in rows}


def take_back(connection: Connection[Any], executions: Collection[UUID]) -> None:
    """Take executions off the list; their postponed rows are due."""
    connection.execute("select take_back_v1(%s)", (list(executions),))


def overdue(connection: Connection[Any], since: timedelta, limit: int) -> list[UUID]:
    """Return executions whose next try has passed for `since` without a decision about them, the longest first."""
    return [row["execution_id"] for row in connection.execute(OVERDUE, (since, limit)).fetchall()]


def try_now(connection: Connection[Any], execution: UUID, channel: str) -> bool:
    """Make an execution that is set aside, and its rows, due at once; return whether it is set aside."""
    return connection.execute(TRY_NOW, (execution, channel)).fetchone() is not None


def strike(connection: Connection[Any], execution: UUID) -> None:
    """Strike an execution that has ended, by an event that no engine decided, off every list."""
    with connection.transaction():
        connection.execute("select take_back_v1(%s)", ([execution],))
        connection.execute("delete from due_steps where execution_id = %s", (execution,))
        connection.execute("delete from due_timers where execution_id = %s", (execution,))
        connection.execute("delete from admissions where execution_id = %s", (execution,))
        connection.execute("delete from outbox where recipient = %s", (execution,))


def postpone_messages(connection: Connection[Any], keys: Collection[MessageKey], until: datetime) -> None:
    """Let no worker claim these messages before `until`."""
    connection.execute(
        f"update outbox o set claimed_until = %(until)b where {OF_KEYS}", {**columns_of(keys), "until": until}
    )


def listed_messages(connection: Connection[Any], keys: Collection[MessageKey]) -> set[MessageKey]:
    """Return which of these messages are still to be handled."""
    rows = connection.execute(f"select o.source, o.version from outbox o where {OF_KEYS}", columns_of(keys)).fetchall()
    return {(row["source"], row["version"]) for row in rows}


def storable(text: str) -> str:
    """Return `text` as a text column takes it: cut, without NUL, and valid UTF-8."""
    return text[:MOST_TEXT].replace("\0", "").encode("utf-8", "replace").decode()


class RawStream(msgspec.Struct, frozen=True):
    """A stream without its events: the first one, undecoded, and the last version. ended: it has."""

    first_topic: str
    first_state: bytes
    version: int
    ended: bool


RAW = """
select first.topic, first.state, last.originator_version as version,
  coalesce(ending.originator_version > coalesce(retried.originator_version, 0), false) as ended
from (select topic, state from stored_events where originator_id = %(id)s
  order by originator_version limit 1) first
cross join (select originator_version from stored_events where originator_id = %(id)s
  order by originator_version desc limit 1) last
left join lateral (select originator_version from stored_events where originator_id = %(id)s and topic = any(%(ends)s)
  order by originator_version desc limit 1) ending on true
left join lateral (select originator_version from stored_events where originator_id = %(id)s
  and topic = 'ExecutionRetried' order by originator_version desc limit 1) retried on true"""


def read_raw(connection: Connection[Any], execution: UUID) -> RawStream | None:
    """Return the ends of a stream that no decision can be taken on; None for a stream without events."""
    row = connection.execute(RAW, {"id": execution, "ends": ENDS}).fetchone()
    return None if row is None else RawStream(row["topic"], bytes(row["state"]), row["version"], row["ended"])


RAW_PAGE = page_query("originator_id = %(id)s and topic = any(%(topics)s) and notification_id > %(after)s")


def read_raw_events(
    connection: Connection[Any], execution: UUID, topics: Collection[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield name and stored form of events of a stream, oldest first; of these topics."""
    after = 0
    while True:
        parameters = {"id": execution, "topics": list(topics), "after": after}
        with connection.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(RAW_PAGE, parameters).fetchall()
        for _, _, _, topic, state in rows:
            yield topic, bytes(state)
        if not is_full(rows):
            return
        after = rows[-1][0]


def is_set_aside(connection: Connection[Any], execution: UUID) -> bool:
    """Return whether the execution is set aside."""
    return connection.execute("select from set_aside where execution_id = %s", (execution,)).fetchone() is not None
