"""The messages between executions, and to agents: which events wait to be handled, and which a worker has claimed."""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow, tuple_row

from domain.event import Event
from domain.executions.events.messages import RECIPIENTS, recipient_of
from store import arrays
from store.listening import LOG_CHANNEL
from store.lists.calls import TOPICS, CallKey, Calls
from store.lists.kept import Arguments, FoldingProof, KeptList, ListDifference, Moves, tuples
from store.mapper import UnknownEvent, decode
from store.sizes import FULL_PAGE
from store.unit import MessageKey, StreamChange

logger = logging.getLogger(__name__)

# Other workers leave a claimed message alone for so long; move_outbox_v1 claims for as long.
CLAIMED_FOR = timedelta(seconds=3)

# A worker claims one source's messages to one recipient in their order: none while another worker has an older one, or
# the same claim leaves an older one out. Lateral joins keep the planner from reading the log or the whole list for it.
# The last message is the one that makes the page full.
CLAIM = """
with listed as (
  select source, version, recipient, due_at from outbox
  where claimed_until is null or claimed_until < now()
  order by due_at, source, version limit %(limit)s for update skip locked),
sized as (
  select l.source, l.version, l.recipient, asked.notification_id, asked.topic, asked.state,
    sum(octet_length(asked.state)) over (order by l.due_at, l.source, l.version) - octet_length(asked.state) as before
  from listed l cross join lateral (
    select notification_id, topic, state from stored_events e
    where e.originator_id = l.source and e.originator_version = l.version limit 1) as asked),
free as (select * from sized where before < %(full)s),
ranked as (select f.*, row_number() over (partition by source, recipient order by version) as rank from free f),
claimed as (
  select r.* from ranked r cross join lateral (
    select count(*) as older from (
      select from outbox o where o.source = r.source and o.recipient = r.recipient and o.version < r.version
      limit %(limit)s) as listed) as counted
  where counted.older = r.rank - 1),
held as (
  update outbox o set claimed_until = now() + %(claimed_for)s
  where o.source = any(array(select source from claimed))
    and ((o.source, o.version) in (select source, version from claimed)) is true)
select notification_id, source, version, recipient, topic, state from claimed"""

# The messages of these keys; no join, as migration 0038 says.
OF_KEYS = """o.source = any(%(sources)b)
  and ((o.source, o.version) in (select * from unnest(%(sources)b, %(versions)b))) is true"""
# As in move_outbox_v1: workers may now claim the messages that waited for one of these to leave the list.
DROP = f"""
with gone as (
  delete from outbox o where {OF_KEYS}
  returning o.source, o.version, o.recipient)
select pg_notify(%(channel)s, 'message') where exists (
  select from gone cross join lateral (
    select from outbox o where o.source = gone.source and o.recipient = gone.recipient and o.version > gone.version
      and o.claimed_until is null limit 1) as later)"""
RELEASE = f"update outbox o set claimed_until = null where {OF_KEYS}"


ReportUnreadable = Callable[[UUID, int, Exception], None]


class Message(msgspec.Struct, frozen=True):
    """Event `version` of stream `source`, a message to `recipient`: an execution or an agent."""

    source: UUID
    version: int
    recipient: UUID
    event: Event

    @property
    def key(self) -> MessageKey:
        """The key that a unit which answers the message states in `handled`."""
        return self.source, self.version


def log_unreadable(_source: UUID, position: int, error: Exception) -> None:
    """Log that the worker leaves the message at `position` to other workers."""
    logger.warning("the message at position %s cannot be read and is left alone: %s", position, error)


class ClaimedMessages(list[Message]):
    """The messages of one claim, in the order of the log. more: it was full, and others may wait."""

    more = False


def claim(connection: Connection[Any], limit: int, unreadable: ReportUnreadable = log_unreadable) -> ClaimedMessages:
    """Claim up to `limit` messages that no worker has, those due longest, or fewer if these make a page full.

    unreadable: called with source, position and error of a message that this release cannot read.
    """
    parameters = {"limit": limit, "claimed_for": CLAIMED_FOR, "full": FULL_PAGE}
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        rows = cursor.execute(CLAIM, parameters, prepare=True).fetchall()
    rows.sort(key=lambda row: row[0])
    claimed = ClaimedMessages()
    claimed.more = len(rows) == limit or sum(len(row[5]) for row in rows) >= FULL_PAGE
    for position, source, version, recipient, topic, state in rows:
        try:
            claimed.append(Message(source, version, recipient, decode(topic, state)))
        except (UnknownEvent, msgspec.DecodeError) as error:
            unreadable(source, position, error)
    return claimed


def release(connection: Connection[Any], keys: Sequence[MessageKey]) -> None:
    """Let other workers claim messages that were claimed and not handled."""
    connection.execute(RELEASE, columns_of(keys))


def drop(connection: Connection[Any], keys: Sequence[MessageKey]) -> None:
    """Strike off messages after which nothing is left to do; ignore those that are not on the list."""
    connection.execute(DROP, {**columns_of(keys), "channel": LOG_CHANNEL})


def columns_of(keys: Collection[MessageKey]) -> dict[str, arrays.Array]:
    """Return the parameters of OF_KEYS."""
    sources, versions = [source for source, _ in keys], [version for _, version in keys]
    return {"sources": arrays.uuids(sources), "versions": arrays.bigints(versions)}


class OutboxMoves(Moves):
    """The messages that one append sends, and those it answers."""

    function = "move_outbox_v1"

    def __init__(self) -> None:
        self._sent: dict[MessageKey, tuple[UUID, bool]] = {}
        self._handled: list[MessageKey] = []

    def _sends(self, event: Event, change: StreamChange, _stream: bytes, version: int) -> None:
        recipient = RECIPIENTS[type(event)](event)
        if recipient is not None:
            self._sent[change.stream, version] = recipient, change.owner is not None

    handlers = dict.fromkeys(RECIPIENTS, _sends)

    def add_change(self, change: StreamChange) -> None:
        """Collect the messages that `change` answers; one that is sent by the same append never reaches the list."""
        for message in change.handled:
            if self._sent.pop(message, None) is None:
                self._handled.append(message)

    def arguments(self) -> Arguments:
        """Return the messages handled, and those sent."""
        if not (self._sent or self._handled):
            return ()
        return (
            arrays.uuids([source for source, _ in self._handled]),
            arrays.bigints([version for _, version in self._handled]),
            arrays.uuids([source for source, _ in self._sent]),
            arrays.bigints([version for _, version in self._sent]),
            arrays.uuids([recipient for recipient, _ in self._sent.values()]),
            arrays.bools([claimed for _, claimed in self._sent.values()]),
        )


LISTED = "select source, version, recipient from outbox"
POINTED_AT = """select e.originator_id, e.originator_version, e.topic, e.state
from unnest(%b, %b) as x(source, version)
join stored_events e on e.originator_id = x.source and e.originator_version = x.version"""
STRIKE = """delete from outbox o using unnest(%b, %b) as x(source, version)
where o.source = x.source and o.version = x.version"""
INSERT = """insert into outbox (source, version, recipient) select * from unnest(%b, %b, %b)
on conflict (source, version) do update set recipient = excluded.recipient, claimed_until = null"""


class OutboxProof(FoldingProof):
    """The messages that something depends on still.

    A message beyond those is right as long as it points to an event that requests something; its handler deletes it.
    """

    topics = TOPICS

    def __init__(self) -> None:
        self._calls = Calls()

    def fold(self, rows: Iterable[TupleRow]) -> None:
        self._calls.fold(rows)

    def compare(self, connection: Connection[Any]) -> tuple[int, list[ListDifference]]:
        expected, listed = self._calls.unhandled(), _listed(connection)
        differing = sorted(_missing(listed, expected).union(_astray(connection, listed, expected)))
        return len(expected), [_difference(key, listed.get(key), expected.get(key)) for key in differing]

    def put_right(self, connection: Connection[Any]) -> None:
        expected, listed = self._calls.unhandled(), _listed(connection)
        astray, missing = _astray(connection, listed, expected), _missing(listed, expected)
        if astray:
            connection.execute(STRIKE, _key_columns(astray))
        if missing:
            recipients = arrays.uuid_bytes([expected[key] for key in missing])
            connection.execute(INSERT, (*_key_columns(missing), recipients))


def _missing(listed: dict[CallKey, bytes], expected: dict[CallKey, bytes]) -> set[CallKey]:
    """Return the messages that the list lacks, or has for another recipient."""
    return {key for key, recipient in expected.items() if listed.get(key) != recipient}


def _astray(connection: Connection[Any], listed: dict[CallKey, bytes], expected: dict[CallKey, bytes]) -> list[CallKey]:
    """Return the listed messages that nothing depends on and whose event has another recipient, or none."""
    beyond = listed.keys() - expected.keys()
    said: dict[CallKey, UUID | None] = {}
    for source, version, topic, state in tuples(connection, POINTED_AT, _key_columns(beyond)):
        said[source, version] = recipient_of(decode(topic, state))
    return [key for key in beyond if said.get(key) != UUID(bytes=listed[key])]


def _listed(connection: Connection[Any]) -> dict[CallKey, bytes]:
    return {(source, version): recipient for source, version, recipient in tuples(connection, LISTED)}


def _key_columns(keys: Collection[CallKey]) -> tuple[arrays.Array, ...]:
    return arrays.uuid_bytes([source for source, _ in keys]), arrays.bigints([version for _, version in keys])


def _difference(key: CallKey, listed: bytes | None, expected: bytes | None) -> ListDifference:
    def row(recipient: bytes | None) -> dict[str, Any] | None:
        return None if recipient is None else {"recipient": str(UUID(bytes=recipient))}

    return ListDifference(
        OUTBOX.name, {"source": str(UUID(bytes=key[0])), "version": key[1]}, row(listed), row(expected)
    )


OUTBOX = KeptList("outbox", OutboxMoves, OutboxProof)
