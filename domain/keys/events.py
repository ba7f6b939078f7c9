"""Events of the keys; each class is stored under its own name for ever. None holds a secret."""

from datetime import datetime
from uuid import UUID

from domain.event import Event, stored


@stored("KeyCreated")
class KeyCreated(Event, frozen=True, kw_only=True):
    """The holder of a key may use Procession from now on.

    name: of the principal, which is the actor of all that the key does. digest: SHA-256 of the key, in hexadecimal.
    prefix: the beginning of the key, which lists show. processes: names or patterns; empty: all.
    """

    key_id: UUID
    name: str
    digest: str
    prefix: str
    scopes: list[str]
    teams: list[str] = []
    processes: list[str] = []
    expires_at: datetime | None = None


@stored("KeyRevoked")
class KeyRevoked(Event, frozen=True, kw_only=True):
    """The key admits nobody from now on."""

    key_id: UUID
    name: str
    reason: str
