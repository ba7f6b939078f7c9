"""What happened in the golden history of the keys. Never change a told story."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.event import Cause, Event
from domain.identity import KEYS_ID
from domain.keys.decisions import NewKey, create_key, revoke_key
from domain.keys.key import KeyRing, fold
from domain.processes.plan import Plan

Plans = dict[tuple[UUID, int], Plan]
Told = tuple[UUID, list[Event]]

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def _cause(hours: int) -> Cause:
    return Cause(BEGIN + timedelta(hours=hours), "user:ann", f"request-{hours}", "tie")


def keys(_: Plans) -> Told:
    """An admin key, a limited one that expires, and its end."""
    admin = NewKey(UUID(int=50), "ann", "0" * 64, "pk_AAAAAAAAA", ["admin"])
    limited = NewKey(
        UUID(int=51),
        "claims-desk",
        "f" * 64,
        "pk_BBBBBBBBB",
        ["operator", "approver", "agent:writer"],
        teams=["claims"],
        processes=["claims-*", "audit"],
        expires_at=BEGIN + timedelta(days=90),
    )
    events = create_key(KeyRing(), admin, _cause(0))
    events += create_key(fold(KeyRing(), events), limited, _cause(1))
    events += revoke_key(fold(KeyRing(), events), limited.key_id, "it was in a mail", _cause(2))
    return KEYS_ID, events


STORIES: dict[str, Callable[[Plans], Told]] = {"keys": keys}
