"""Decisions about keys: pure functions of state, command and cause."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.event import Cause, Event, record
from domain.keys.events import KeyCreated, KeyRevoked
from domain.keys.key import KeyRing
from domain.keys.scopes import KeyScope, problems_of
from domain.refusal import Forbidden, Malformed, NotFound, Problem

MAX_KEYS = 10_000


class NewKey(msgspec.Struct, frozen=True):
    """The description of a key that is to be made. digest, prefix: of the key, as `KeyCreated` states them."""

    key_id: UUID
    name: str
    digest: str
    prefix: str
    scopes: list[str]
    teams: list[str] = []
    processes: list[str] = []
    expires_at: datetime | None = None


class FirstKeyNotAdmin(Forbidden):
    """The first key would lock everybody out who could make another."""

    code = "first_key_not_admin"


class LastAdminKey(Forbidden):
    """Without this key, nobody could make another."""

    code = "last_admin_key"


class TooManyKeys(Forbidden):
    """The number of keys is bounded."""

    code = "too_many_keys"


def create_key(ring: KeyRing, new: NewKey, cause: Cause, *, configured: bool = False) -> list[Event]:
    """Make a key. configured: the environment states an admin key beside these.

    Raises Malformed with all problems, FirstKeyNotAdmin while no admin key without expiry exists, or TooManyKeys.
    """
    problems = problems_of(new.name, new.scopes, new.teams, new.processes)
    if new.expires_at is not None and new.expires_at <= cause.at:
        problems.append(Problem("already_expired", "the expiry is in the past", "expires_at"))
    if problems:
        raise Malformed(problems[0].message, problems)
    if len(ring.keys) >= MAX_KEYS:
        raise TooManyKeys(f"there are {MAX_KEYS:,} keys, revoked ones included; no more can be made")
    lasting = KeyScope.ADMIN in new.scopes and new.expires_at is None
    if not (lasting or configured or ring.keys):
        raise FirstKeyNotAdmin("the first key has the scope admin and no expiry, or nobody could make another")
    facts = msgspec.structs.asdict(new)
    for name in ("scopes", "teams", "processes"):
        facts[name] = list(dict.fromkeys(facts[name]))
    return [record(KeyCreated, cause, **facts)]


def revoke_key(
    ring: KeyRing, key_id: UUID, reason: str, cause: Cause, *, force: bool = False, configured: bool = False
) -> list[Event]:
    """Revoke a key. Returns no events when it is revoked already.

    force: also the last admin key without expiry. configured: the environment states an admin key beside these.
    Raises NotFound or LastAdminKey.
    """
    key = ring.keys.get(key_id)
    if key is None:
        raise NotFound(f"there is no key {key_id}")
    if key.revoked:
        return []
    if ring.lasting_admins == [key_id] and not (force or configured):
        raise LastAdminKey(
            f"{key.name} is the last admin key without expiry: make another first, or force it; "
            "then only `procession keys` works"
        )
    return [record(KeyRevoked, cause, key_id=key_id, name=key.name, reason=reason)]
