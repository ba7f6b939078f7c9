"""The state of all keys: they share one stream, because rules such as *one admin remains* are about all of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.event import Event
from domain.keys.events import KeyCreated, KeyRevoked
from domain.keys.scopes import KeyScope, agent_of


class Key(msgspec.Struct, frozen=True):
    """One key; the fields are those of `KeyCreated`."""

    key_id: UUID
    name: str
    digest: str
    prefix: str
    scopes: tuple[str, ...]
    teams: tuple[str, ...]
    processes: tuple[str, ...]
    expires_at: datetime | None
    revoked: bool = False

    @property
    def actor(self) -> str:
        """The actor of everything that the key does: ``agent:NAME`` for the key of one agent, else ``user:NAME``."""
        if len(self.scopes) == 1 and (agent := agent_of(self.scopes[0])) is not None:
            return f"agent:{agent}"
        return f"user:{self.name}"

    @property
    def lasting_admin(self) -> bool:
        """Whether the key is one that may make others at any time to come."""
        return KeyScope.ADMIN in self.scopes and self.expires_at is None and not self.revoked

    def valid_at(self, at: datetime) -> bool:
        """Return whether the key admits its holder at the time `at`."""
        return not self.revoked and (self.expires_at is None or at < self.expires_at)


class KeyRing(msgspec.Struct, frozen=True):
    """All keys ever made, by id. version: events folded so far."""

    version: int = 0
    keys: dict[UUID, Key] = {}

    @property
    def lasting_admins(self) -> list[UUID]:
        """The keys with the scope admin that are not revoked and do not expire."""
        return [id for id, key in self.keys.items() if key.lasting_admin]


def evolve(ring: KeyRing, event: Event) -> KeyRing:
    """Return the state after `event` and leave `ring` unchanged. Raises TypeError for an event of another noun."""
    return fold(ring, [event])


def fold(ring: KeyRing, events: Iterable[Event]) -> KeyRing:
    """Return the state after all `events`, in order. Raises TypeError for an event of another noun."""
    keys, version = dict(ring.keys), ring.version
    for event in events:
        version += 1
        match event:
            case KeyCreated():
                keys[event.key_id] = _key(event)
            case KeyRevoked():
                keys[event.key_id] = msgspec.structs.replace(keys[event.key_id], revoked=True)
            case _:
                raise TypeError(f"{type(event).__name__} does not happen to keys")
    return KeyRing(version, keys)


def _key(event: KeyCreated) -> Key:
    lists: dict[str, Any] = {name: tuple(getattr(event, name)) for name in ("scopes", "teams", "processes")}
    return Key(event.key_id, event.name, event.digest, event.prefix, expires_at=event.expires_at, **lists)
