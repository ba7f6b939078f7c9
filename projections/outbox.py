"""The messages between executions, which every append keeps: proven against the log, and put right where they differ.

One that nothing depends on any more may be there for a while: whoever comes to handle it strikes it off.
"""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from domain.executions.messages import recipient_of
from projections import kept_lists
from projections.calls import TOPICS, Calls, Key
from projections.kept_lists import Progress, tuples
from projections.rebuilding import Rebuilt
from projections.verifying import Difference, Verified
from store import arrays
from store.datastore import Datastore
from store.mapper import decode

NAME = "outbox"

LISTED = "select source, version, recipient from outbox"
POINTED_AT = """select e.originator_id, e.originator_version, e.topic, e.state
from unnest(%b, %b) as x(source, version)
join stored_events e on e.originator_id = x.source and e.originator_version = x.version"""
STRIKE = """delete from outbox o using unnest(%b, %b) as x(source, version)
where o.source = x.source and o.version = x.version"""
INSERT = """insert into outbox (source, version, recipient) select * from unnest(%b, %b, %b)
on conflict (source, version) do update set recipient = excluded.recipient, claimed_until = null"""


def rebuild(datastore: Datastore, progress: Progress) -> Rebuilt:
    """Put the list right, as kept_lists.rebuild does; what is right, or only late, stays, and in hand if it is."""
    return kept_lists.rebuild(_Outbox(), datastore, progress)


def verify(datastore: Datastore, progress: Progress) -> Verified:
    """Compare the list, as kept_lists.verify does.

    Rows beyond those that something depends on are right as long as they point to an event that asks for something.
    """
    return kept_lists.verify(_Outbox(), datastore, progress)


class _Outbox:
    topics = TOPICS

    def __init__(self) -> None:
        self._calls = Calls()

    def fold(self, rows: Iterable[TupleRow]) -> None:
        self._calls.fold(rows)

    def compare(self, connection: Connection[Any]) -> tuple[int, list[Difference]]:
        expected, listed = self._calls.unhandled(), _listed(connection)
        differing = sorted(_missing(listed, expected).union(_astray(connection, listed, expected)))
        return len(expected), [_difference(key, listed.get(key), expected.get(key)) for key in differing]

    def put_right(self, connection: Connection[Any]) -> None:
        expected, listed = self._calls.unhandled(), _listed(connection)
        astray, missing = _astray(connection, listed, expected), _missing(listed, expected)
        if astray:
            connection.execute(STRIKE, _columns(astray))
        if missing:
            recipients = arrays.uuid_bytes([expected[key] for key in missing])
            connection.execute(INSERT, (*_columns(missing), recipients))


def _missing(listed: dict[Key, bytes], expected: dict[Key, bytes]) -> set[Key]:
    """Those that are not there, or are there for somebody else."""
    return {key for key, recipient in expected.items() if listed.get(key) != recipient}


def _astray(connection: Connection[Any], listed: dict[Key, bytes], expected: dict[Key, bytes]) -> list[Key]:
    """Those that nothing depends on and that do not say what their event says either."""
    beyond = listed.keys() - expected.keys()
    said: dict[Key, UUID | None] = {}
    for source, version, topic, state in tuples(connection, POINTED_AT, _columns(beyond)):
        said[source, version] = recipient_of(decode(topic, state))
    return [key for key in beyond if said.get(key) != UUID(bytes=listed[key])]


def _listed(connection: Connection[Any]) -> dict[Key, bytes]:
    return {(source, version): recipient for source, version, recipient in tuples(connection, LISTED)}


def _columns(keys: Collection[Key]) -> tuple[arrays.Array, ...]:
    return arrays.uuid_bytes([source for source, _ in keys]), arrays.bigints([version for _, version in keys])


def _difference(key: Key, listed: bytes | None, expected: bytes | None) -> Difference:
    def row(recipient: bytes | None) -> dict[str, Any] | None:
        return None if recipient is None else {"recipient": str(UUID(bytes=recipient))}

    return Difference(NAME, {"source": str(UUID(bytes=key[0])), "version": key[1]}, row(listed), row(expected))
