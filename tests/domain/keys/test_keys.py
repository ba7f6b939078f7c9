"""Making and revoking keys: given events, when a command, then events."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from domain.agents.events import AgentRetired
from domain.event import Cause, Event, record
from domain.keys.decisions import FirstKeyNotAdmin, LastAdminKey, NewKey, create_key, revoke_key
from domain.keys.events import KeyCreated, KeyRevoked
from domain.keys.key import KeyRing, evolve, fold
from domain.keys.scopes import KeyScope, matches, problems_of
from domain.refusal import Malformed, NotFound
from tests.scenario import scenario

AT = datetime(2030, 1, 1, tzinfo=UTC)
CAUSE = Cause(AT, "user:ann", "c-1", "r-1")
LATER = AT + timedelta(days=1)
ROOT, OTHER = UUID(int=1), UUID(int=2)

given = scenario(lambda events: fold(KeyRing(), events))


def new(key_id: UUID = OTHER, scopes: tuple[str, ...] = ("viewer",), **more: Any) -> NewKey:
    return NewKey(key_id, more.pop("name", "ann"), "0" * 64, "pk_12345678", list(scopes), **more)


def created(key_id: UUID = OTHER, scopes: tuple[str, ...] = ("viewer",), **more: Any) -> Event:
    facts = {"name": "ann", "digest": "0" * 64, "prefix": "pk_12345678"} | more
    return record(KeyCreated, CAUSE, key_id=key_id, scopes=list(scopes), **facts)


def revoked(key_id: UUID = OTHER) -> Event:
    return record(KeyRevoked, CAUSE, key_id=key_id, name="ann", reason="lost")


ADMIN = created(ROOT, ("admin",))


def test_the_first_key_is_an_admin_without_expiry() -> None:
    given().when(create_key, new(ROOT, ("admin",)), CAUSE).then(ADMIN)
    given().when(create_key, new(ROOT), CAUSE).then(FirstKeyNotAdmin)
    given().when(create_key, new(ROOT, ("admin",), expires_at=LATER), CAUSE).then(FirstKeyNotAdmin)


def test_a_key_of_the_environment_counts_as_an_admin_key() -> None:
    given().when(create_key, new(), CAUSE, configured=True).then(created())
    given(ADMIN).when(revoke_key, ROOT, "lost", CAUSE, configured=True).then(revoked(ROOT))


def test_later_keys_may_have_any_scope() -> None:
    scopes = ("viewer", "agent:writer", "viewer")
    made = created(scopes=("viewer", "agent:writer"), teams=["legal"], processes=["claims-*"], expires_at=LATER)
    asked = new(scopes=scopes, teams=["legal", "legal"], processes=["claims-*"], expires_at=LATER)
    given(ADMIN).when(create_key, asked, CAUSE).then(made)


def test_every_problem_of_a_new_key_is_reported() -> None:
    wrong = new(
        scopes=("admin", "veiwer", "agent:"), name="a b", teams=["x y"], processes=["*", "Claims"], expires_at=AT
    )
    refusal = given(ADMIN).when(create_key, wrong, CAUSE).refusal(Malformed)
    assert [(p.code, p.path) for p in refusal.problems] == [
        ("invalid_name", "name"),
        ("unknown_scope", "scopes[1]"),
        ("unknown_scope", "scopes[2]"),
        ("invalid_team", "teams[0]"),
        ("invalid_process", "processes[0]"),
        ("invalid_process", "processes[1]"),
        ("processes_with_admin", "processes"),
        ("already_expired", "expires_at"),
    ]
    assert refusal.problems[1].hint == "did you mean viewer?"
    assert [p.code for p in problems_of("ann", [], [], [])] == ["scopes_missing"]


def test_a_key_is_revoked_once() -> None:
    given(ADMIN, created()).when(revoke_key, OTHER, "lost", CAUSE).then(revoked())
    given(ADMIN, created(), revoked()).when(revoke_key, OTHER, "lost", CAUSE).then()
    given(ADMIN).when(revoke_key, OTHER, "lost", CAUSE).then(NotFound)


def test_the_last_admin_key_without_expiry_stays_unless_forced() -> None:
    passing = created(OTHER, ("admin",), expires_at=LATER)
    given(ADMIN, passing).when(revoke_key, ROOT, "lost", CAUSE).then(LastAdminKey)
    given(ADMIN, passing).when(revoke_key, ROOT, "lost", CAUSE, force=True).then(revoked(ROOT))
    given(ADMIN, created(OTHER, ("admin",))).when(revoke_key, ROOT, "lost", CAUSE).then(revoked(ROOT))


def test_a_key_admits_its_holder_until_it_expires_or_is_revoked() -> None:
    ring = given(ADMIN, created(expires_at=LATER)).state
    key = ring.keys[OTHER]
    assert key.valid_at(LATER - timedelta(microseconds=1))
    assert not key.valid_at(LATER)
    assert not evolve(ring, revoked()).keys[OTHER].valid_at(AT)
    with pytest.raises(TypeError):
        evolve(ring, record(AgentRetired, CAUSE, name="a", reason=""))


def test_the_actor_is_the_name_of_the_key_or_its_agent() -> None:
    ring = given(ADMIN, created(scopes=("agent:writer",)), created(UUID(int=3), ("agent:writer", "viewer"))).state
    assert [key.actor for key in ring.keys.values()] == ["user:ann", "agent:writer", "user:ann"]


def test_a_key_is_limited_to_processes_by_name_or_beginning() -> None:
    assert matches(["claims-*", "audit"], "claims-eu")
    assert matches(["claims-*", "audit"], "audit")
    assert not matches(["claims-*", "audit"], "audit-2")


COMMANDS = st.lists(
    st.tuples(
        st.booleans(),
        st.integers(1, 4),
        st.sets(st.sampled_from(list(KeyScope)), min_size=1),
        st.sampled_from([None, LATER]),
    ),
    max_size=12,
)


@for_any(COMMANDS)
def test_once_a_key_exists_an_admin_key_without_expiry_remains(commands: Any) -> None:
    """The law holds whatever is asked, as long as nobody forces."""
    ring = KeyRing()
    for makes, id, scopes, expires_at in commands:
        try:
            if makes:
                events = create_key(
                    ring, new(UUID(int=len(ring.keys) + 1), tuple(scopes), expires_at=expires_at), CAUSE
                )
            else:
                events = revoke_key(ring, UUID(int=id), "why", CAUSE)
        except (FirstKeyNotAdmin, LastAdminKey, NotFound):
            continue
        ring = fold(ring, events)
        assert ring.lasting_admins
