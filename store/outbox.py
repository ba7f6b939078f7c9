"""What executions ask of each other: the messages that wait to be handled, and how large a family has become."""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row

from domain.event import Event
from store import arrays
from store.listening import LOG_CHANNEL
from store.mapper import UnknownEvent, decode
from store.unit import MessageKey

logger = logging.getLogger(__name__)

# Others leave a message in hand alone for so long; append_events takes in hand for as long.
IN_HAND = timedelta(seconds=3)

# One source's messages to one recipient are taken in their order: none while an older one is in other hands, or was not
# taken along. The lateral join keeps the planner from reading the log for it.
CLAIM = """
with free as (
  select source, version, recipient, due_at from outbox
  where claimed_until is null or claimed_until < now()
  order by due_at, source, version limit %(limit)s for update skip locked),
claimed as (
  select f.source, f.version from free f
  where not exists (
    select from outbox o where o.source = f.source and o.recipient = f.recipient and o.version < f.version
      and not exists (select from free g where g.source = o.source and g.version = o.version)))
update outbox o set claimed_until = now() + %(in_hand)s
from claimed c cross join lateral (
  select notification_id, topic, state from stored_events e
  where e.originator_id = c.source and e.originator_version = c.version limit 1) as asked
where o.source = c.source and o.version = c.version
returning asked.notification_id, o.source, o.version, o.recipient, asked.topic, asked.state"""

# As in append_events: whoever waited for one of these to go may be taken now.
DROP = """
with gone as (
  delete from outbox o using unnest(%b, %b) as x(source, version)
  where o.source = x.source and o.version = x.version returning o.source, o.version, o.recipient)
select pg_notify(%s, 'message') where exists (
  select from gone join outbox o using (source, recipient)
  where o.version > gone.version and o.claimed_until is null)"""

DESCENDANTS = "select root, descendants from families where root = any(%b)"


class Message(msgspec.Struct, frozen=True):
    """Event `version` of stream `source`, which asks something of the execution `recipient`."""

    source: UUID
    version: int
    recipient: UUID
    event: Event

    @property
    def key(self) -> MessageKey:
        """What a unit that answers it says it has handled."""
        return self.source, self.version


def claim(connection: Connection[Any], limit: int) -> list[Message]:
    """Take in hand up to `limit` messages that nobody has, those due longest; in the order of the log.

    One that this release cannot read is left to others: a newer release wrote it.
    """
    parameters = {"limit": limit, "in_hand": IN_HAND}
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        rows = cursor.execute(CLAIM, parameters, prepare=True).fetchall()
    rows.sort(key=lambda row: row[0])
    claimed: list[Message] = []
    for position, source, version, recipient, topic, state in rows:
        try:
            claimed.append(Message(source, version, recipient, decode(topic, state)))
        except (UnknownEvent, msgspec.DecodeError):
            logger.exception("the message at position %s cannot be read and is left alone", position)
    return claimed


def release(connection: Connection[Any], keys: Sequence[MessageKey]) -> None:
    """Let others have messages that were taken in hand and not handled."""
    connection.execute(
        """update outbox o set claimed_until = null from unnest(%b, %b) as x(source, version)
        where o.source = x.source and o.version = x.version""",
        _columns(keys),
    )


def drop(connection: Connection[Any], keys: Sequence[MessageKey]) -> None:
    """Strike off messages after which nothing is left to do; those that are not there any more do not matter."""
    connection.execute(DROP, (*_columns(keys), LOG_CHANNEL))


def descendants(connection: Connection[Any], roots: Iterable[UUID]) -> dict[UUID, int]:
    """How many executions each of `roots` has brought about, at any depth; 0 for one that has none."""
    found = dict.fromkeys(roots, 0)
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        found.update(cursor.execute(DESCENDANTS, (arrays.uuids(list(found)),), prepare=True).fetchall())
    return found


def _columns(keys: Sequence[MessageKey]) -> tuple[arrays.Array, ...]:
    return arrays.uuids([source for source, _ in keys]), arrays.bigints([version for _, version in keys])
