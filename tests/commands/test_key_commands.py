"""Keys are made, shown, used and revoked, on the real log."""

from datetime import timedelta
from uuid import UUID

from commands.keys import CreateKey, KnownKeys, RevokeKey, Secret, digest_of, new_secret
from domain.identity import KEYS_ID
from domain.keys.decisions import FirstKeyNotAdmin
from domain.keys.events import KeyCreated, KeyRevoked
from tests.clocks import TurnedClock
from tests.commands.scenario import BOB, NOW, Scenario, fact

ROOT, OTHER = UUID(int=1), UUID(int=2)
SECRET = Secret("pp_" + "s" * 43, digest_of("pp_" + "s" * 43), "pp_ssss")
FACTS = {"key_id": ROOT, "name": "ann", "digest": SECRET.digest, "prefix": SECRET.prefix, "scopes": ["admin"]}
CREATED = fact(KeyCreated, **FACTS)


def test_a_key_is_made_and_the_log_does_not_hold_it(scenario: Scenario) -> None:
    recorded = scenario.when(scenario.keys.create, CreateKey(ROOT, SECRET, "ann", ["admin"])).then(CREATED)
    assert recorded.receipt.facts == {"key_id": ROOT, "prefix": SECRET.prefix}
    with scenario.datastore.reading() as connection:
        stored = connection.execute("select state from stored_events").fetchall()
    assert SECRET.text.encode() not in b"".join(bytes(row["state"]) for row in stored)
    assert SECRET.text not in repr(CreateKey(ROOT, SECRET, "ann", ["admin"]))


def test_the_first_key_is_an_admin_key(scenario: Scenario) -> None:
    scenario.when(scenario.keys.create, CreateKey(ROOT, SECRET, "ann", ["viewer"])).then(FirstKeyNotAdmin)


def test_a_key_is_revoked_once(scenario: Scenario) -> None:
    scenario.given(KEYS_ID, CREATED)
    revoked = fact(KeyRevoked, key_id=ROOT, name="ann", reason="lost")
    scenario.when(scenario.keys.revoke, RevokeKey(ROOT, "lost", True)).then(revoked)
    scenario.when(scenario.keys.revoke, RevokeKey(ROOT, "lost"), BOB).then_nothing()


def test_two_keys_differ() -> None:
    one, other = new_secret(), new_secret()
    assert one.text != other.text
    assert one.text.startswith(one.prefix)
    assert len(one.text) == 46


def test_a_process_admits_the_keys_that_are_in_the_log(scenario: Scenario) -> None:
    clock = TurnedClock(NOW)
    known = KnownKeys(scenario.log, clock)
    assert known.stale
    known.refresh()
    assert (known.any, known.find(SECRET.text)) == (False, None)

    scenario.given(KEYS_ID, CREATED)
    clock.time += timedelta(seconds=2)
    assert known.stale
    known.refresh()
    found = known.find(SECRET.text)
    assert found is not None
    assert (found.key_id, found.actor, known.any, known.holds(ROOT)) == (ROOT, "user:ann", True, True)
    assert known.find(SECRET.text[:-1]) is None
    assert known.find(SECRET.text + "s") is None
    assert known.find("") is None

    scenario.given(KEYS_ID, fact(KeyRevoked, key_id=ROOT, name="ann", reason="lost"))
    clock.time += timedelta(seconds=2)
    known.refresh()
    assert (known.find(SECRET.text), known.any, known.holds(ROOT)) == (None, True, False)


def test_the_last_use_is_kept_beside_the_log(scenario: Scenario) -> None:
    clock = TurnedClock(NOW)
    scenario.given(KEYS_ID, CREATED)
    known = KnownKeys(scenario.log, clock)
    known.refresh()
    known.find(SECRET.text)
    before = scenario.log.last_position()
    clock.time += timedelta(minutes=2)
    known.refresh()
    assert scenario.list_of("key_uses", "key_id", "last_used_at") == [(ROOT, NOW)]
    assert scenario.log.last_position() == before


def test_a_process_forgets_keys_that_the_log_has_lost(scenario: Scenario) -> None:
    clock = TurnedClock(NOW)
    scenario.given(KEYS_ID, CREATED)
    known = KnownKeys(scenario.log, clock)
    known.refresh()
    assert known.find(SECRET.text) is not None
    with scenario.datastore.reading() as connection:
        connection.execute("delete from stored_events where originator_id = %s", (KEYS_ID,))
    other = Secret("pp_" + "t" * 43, digest_of("pp_" + "t" * 43), "pp_tttt")
    scenario.given(KEYS_ID, fact(KeyCreated, **FACTS | {"key_id": OTHER, "digest": other.digest, "prefix": "pp_tttt"}))
    clock.time += timedelta(seconds=2)
    known.refresh()
    assert known.find(SECRET.text) is None
    assert known.find(other.text) is not None


def test_in_an_outage_after_a_failover_only_one_request_a_second_waits_for_the_log(scenario: Scenario) -> None:
    clock = TurnedClock(NOW)
    scenario.given(KEYS_ID, CREATED)
    known = KnownKeys(scenario.log, clock)
    known.refresh()
    known.forget_all()
    assert known.stale
    scenario.datastore.pool.close()
    known.refresh()
    assert not known.stale
    assert known.find(SECRET.text) is not None

    scenario.datastore.renew_pool()
    with scenario.datastore.reading() as connection:
        connection.execute("delete from stored_events where originator_id = %s", (KEYS_ID,))
    clock.time += timedelta(seconds=2)
    assert known.stale
    known.refresh()
    assert known.find(SECRET.text) is None
