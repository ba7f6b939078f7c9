"""The webhooks of inboxes: their addresses, where each stands, and the deliveries that failed for good."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import class_row

_FIELDS = "webhook_id, agent, url, secret, position, verified_at is not null as verified, tries"
ADD = """insert into inbox_webhooks (webhook_id, agent, url, secret, added_by, position)
select %s, %s, %s, %s, %s, coalesce((select max(notification_id) from stored_events), 0)
where (select count(*) from inbox_webhooks where agent = %s) < %s"""
FIND = "select webhook_id, secret from inbox_webhooks where agent = %s and url = %s"
REMOVE = """with gone as (delete from inbox_webhooks where agent = %s and webhook_id = %s returning webhook_id),
letters as (delete from inbox_dead_deliveries where webhook_id in (select webhook_id from gone))
select webhook_id from gone"""
RESUME = """update inbox_webhooks set due_at = now(), tries = 0, suspended_at = null, failing_since = null
where agent = %s and webhook_id = %s returning webhook_id"""
RETRY = "update inbox_dead_deliveries set retry = true where webhook_id = %s and (%s::text is null or event_id = %s)"

# A webhook is due where the read model of inboxes is ahead of it, or a dead delivery is to be tried again.
CLAIM = f"""update inbox_webhooks w set claimed_until = now() + %(claimed_for)s where webhook_id in (
  select webhook_id from inbox_webhooks d
  where suspended_at is null and due_at <= now() and (claimed_until is null or claimed_until < now())
    and (verified_at is null or tries > 0 or read_until < %(read)s
      or exists (select from inbox_dead_deliveries l where l.webhook_id = d.webhook_id and l.retry))
  order by due_at limit %(limit)s for update skip locked)
returning {_FIELDS}"""
READ_UNTIL = (
    "select coalesce((select notification_id from notification_tracking where application_name = %s), 0) as read"
)
VERIFIED = """update inbox_webhooks set verified_at = now(), tries = 0, last_error = null, failing_since = null
where webhook_id = %s"""
DELIVERED = """update inbox_webhooks set position = greatest(position, %s), delivered_at = now(), tries = 0,
  last_error = null, failing_since = null where webhook_id = %s"""
READ = "update inbox_webhooks set read_until = %s where webhook_id = %s"
SKIPPED = "update inbox_webhooks set position = greatest(position, %s) where webhook_id = %s"
FAILED = """update inbox_webhooks set tries = %s, last_error = %s, due_at = now() + %s,
  failing_since = coalesce(failing_since, now()),
  suspended_at = case when %s or failing_since < now() - %s then now() else suspended_at end where webhook_id = %s"""
DEAD = """insert into inbox_dead_deliveries (webhook_id, event_id, position, tries, error) values (%s, %s, %s, %s, %s)
on conflict (webhook_id, event_id) do update set tries = inbox_dead_deliveries.tries + excluded.tries,
  error = excluded.error, died_at = now(), retry = false"""
REVIVED = "delete from inbox_dead_deliveries where webhook_id = %s and event_id = %s"
TO_RETRY = """select event_id, position from inbox_dead_deliveries where webhook_id = %s and retry
order by position limit %s"""
RELEASE = """update inbox_webhooks set claimed_until = null, due_at = greatest(due_at, now() + %s)
where webhook_id = %s"""


class DueWebhook(msgspec.Struct, frozen=True):
    """A webhook that a worker has claimed. secret: a reference to it. position: it received everything up to there."""

    webhook_id: UUID
    agent: str
    url: str
    secret: str
    position: int
    verified: bool
    tries: int


class DeadLetterToRetry(msgspec.Struct, frozen=True):
    """A dead delivery that an operator has requested again."""

    event_id: str
    position: int


def add(connection: Connection[Any], id: UUID, agent: str, url: str, secret: str, actor: str, most: int) -> bool:
    """Add a webhook for entries from now on; return whether the agent had fewer than `most`."""
    return connection.execute(ADD, (id, agent, url, secret, actor, agent, most)).rowcount == 1


def find(connection: Connection[Any], agent: str, url: str) -> tuple[UUID, str] | None:
    """Return the id of the agent's webhook at an address, and the reference to its secret."""
    row = connection.execute(FIND, (agent, url)).fetchone()
    return None if row is None else (row["webhook_id"], row["secret"])


def remove(connection: Connection[Any], agent: str, id: UUID) -> bool:
    """Remove a webhook and its dead deliveries; return whether there was one."""
    return connection.execute(REMOVE, (agent, id)).fetchone() is not None


def retry(connection: Connection[Any], agent: str, id: UUID, event_id: str | None) -> int | None:
    """Resume a webhook, and have dead deliveries tried again; return how many, or None where there is no webhook."""
    if connection.execute(RESUME, (agent, id)).fetchone() is None:
        return None
    return connection.execute(RETRY, (id, event_id, event_id)).rowcount


def claim(connection: Connection[Any], projection: str, limit: int, claimed_for: timedelta) -> list[DueWebhook]:
    """Claim webhooks that are due. projection: the read model of inboxes."""
    row = connection.execute(READ_UNTIL, (projection,), prepare=True).fetchone()
    assert row is not None
    given = {"read": row["read"], "limit": limit, "claimed_for": claimed_for}
    with connection.cursor(row_factory=class_row(DueWebhook)) as cursor:
        return cursor.execute(CLAIM, given, prepare=True).fetchall()


def verified(connection: Connection[Any], id: UUID) -> None:
    """Note that the receiver proved that it expects deliveries."""
    connection.execute(VERIFIED, (id,))


def delivered(connection: Connection[Any], id: UUID, position: int) -> None:
    """Note that the receiver accepted the entry at a position."""
    connection.execute(DELIVERED, (position, id))


def read_to(connection: Connection[Any], id: UUID, until: int) -> None:
    """Note that the receiver has every entry that the read model had at the position `until`."""
    connection.execute(READ, (until, id))


def skipped(connection: Connection[Any], id: UUID, position: int) -> None:
    """Note that the entry at a position is not delivered in its turn."""
    connection.execute(SKIPPED, (position, id))


def failed(
    connection: Connection[Any], id: UUID, tries: int, error: str, pause: timedelta, *, ends: bool, longest: timedelta
) -> None:
    """Note a failure. pause: until the next try. ends, or failing for longer than `longest`: suspend the webhook."""
    connection.execute(FAILED, (tries, error, pause, ends, longest, id))


def died(connection: Connection[Any], id: UUID, event_id: str, position: int, tries: int, error: str) -> None:
    """Set a delivery aside that failed for good."""
    connection.execute(DEAD, (id, event_id, position, tries, error))


def revived(connection: Connection[Any], id: UUID, event_id: str) -> None:
    """Note that a dead delivery was accepted, or that its entry is gone."""
    connection.execute(REVIVED, (id, event_id))


def to_retry(connection: Connection[Any], id: UUID, limit: int) -> Sequence[DeadLetterToRetry]:
    """Return dead deliveries that are to be tried again."""
    with connection.cursor(row_factory=class_row(DeadLetterToRetry)) as cursor:
        return cursor.execute(TO_RETRY, (id, limit)).fetchall()


def release(connection: Connection[Any], id: UUID, pause: timedelta) -> None:
    """Release a claimed webhook, due again after `pause` at the earliest."""
    connection.execute(RELEASE, (pause, id))
