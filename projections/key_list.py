"""The list of keys, without their digests: a row a key."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from psycopg import Connection

from projections.facts import Fact
from projections.projection import Handler, Projection
from projections.table import Table, always, fixed, key, latest


class KeyRow(msgspec.Struct, gc=False, kw_only=True):
    """The changes of a page to a row; None leaves a column as it is."""

    key_id: Annotated[UUID, key("uuid")]
    name: Annotated[str | None, fixed("text")] = None
    prefix: Annotated[str | None, fixed("text")] = None
    scopes: Annotated[list[str] | None, fixed("json")] = None
    teams: Annotated[list[str] | None, fixed("json")] = None
    processes: Annotated[list[str] | None, fixed("json")] = None
    created_at: Annotated[datetime | None, fixed("timestamptz")] = None
    expires_at: Annotated[datetime | None, fixed("timestamptz")] = None
    revoked_at: Annotated[datetime | None, latest("timestamptz")] = None
    revoked_reason: Annotated[str | None, latest("text")] = None
    last_position: Annotated[int, always("bigint")]


KEYS = Table("key_list", KeyRow)
KeyChanges = dict[UUID, KeyRow]


def _created(changes: KeyChanges, fact: Fact) -> None:
    event = fact.event
    changes[event.key_id] = KeyRow(
        key_id=event.key_id,
        name=event.name,
        prefix=event.prefix,
        scopes=event.scopes,
        teams=event.teams,
        processes=event.processes,
        created_at=event.at,
        expires_at=event.expires_at,
        last_position=fact.position,
    )


def _revoked(changes: KeyChanges, fact: Fact) -> None:
    event = fact.event
    row = changes.setdefault(event.key_id, KeyRow(key_id=event.key_id, name=event.name, last_position=0))
    row.last_position, row.revoked_at, row.revoked_reason = fact.position, event.at, event.reason


class KeyListProjection(Projection[KeyChanges]):
    """key_list. The digest of a key stays in the log."""

    name = "key_list"
    tables = ("key_list",)
    ddl = KEYS.ddl
    handlers: dict[str, Handler[KeyChanges]] = {"KeyCreated": _created, "KeyRevoked": _revoked}

    def changes(self) -> KeyChanges:
        return {}

    def write(self, connection: Connection[Any], changes: KeyChanges) -> None:
        KEYS.write(connection, changes.values())
