"""The lease depends on nothing else: neither on the upkeep of the lists, nor on old keys, nor on locks of others."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.clock import SYSTEM_CLOCK
from scheduler.lease import Lease, StoredLeases
from store.answers import BATCH, forget_old_answers

KEYS = """insert into idempotency_keys (key, fingerprint, answer, position, at)
select 'key' || n, '', '{}', 0, now() - interval '8 days' - n * interval '1 ms' from generate_series(1, %s) n"""
WAITING = "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%%insert into workers%%'"
LEFT = "select count(*) as n from idempotency_keys"


@pytest.fixture
def old_keys(installation):
    """A hundred thousand keys that are too old, and one that is not."""
    installation.rows(KEYS, 100_000)
    installation.rows("insert into idempotency_keys values ('new', '', '{}', 0)")


def test_old_keys_go_in_batches_while_the_lease_is_renewed(installation, old_keys):
    worker = installation.worker(lease=1)
    lapsed, counts = [], set()

    def left():
        (row,) = installation.rows(
            """select (select count(*) from idempotency_keys) as n,
            (select lease_until < now() from workers where worker_id = %s) as lapsed""",
            worker.id,
        )
        lapsed.append(row["lapsed"])
        counts.add(row["n"])
        return row["n"]

    installation.until(lambda: left() == 1)
    assert not any(lapsed)
    assert len(counts) > 2


def test_one_worker_at_a_time_drops_old_keys_and_it_skips_locked_ones(installation, old_keys):
    with installation.datastore.connect() as mine, installation.datastore.connect() as other:
        with other.transaction():
            until = forget_old_answers(other)
            assert until is not None
            assert forget_old_answers(mine) is None
        assert installation.rows(LEFT) == [{"n": 100_001 - BATCH}]
        with other.transaction():
            other.execute("select from idempotency_keys where key = 'key1' for update")
            while until is not None:
                until = forget_old_answers(mine, until)
        assert installation.rows(LEFT) == [{"n": 2}]
        assert forget_old_answers(mine) is None
        assert installation.rows("select key from idempotency_keys") == [{"key": "new"}]


def test_a_lease_is_renewed_while_the_upkeep_of_the_lists_waits_for_a_lock(installation):
    worker = installation.worker(lease=1)
    until = "select lease_until from workers where worker_id = %s"
    with installation.datastore.connect() as other, other.transaction():
        other.execute("lock table due_steps, idempotency_keys in access exclusive mode")
        begun = installation.rows(until, worker.id)[0]["lease_until"]
        installation.until(
            lambda: installation.rows(until, worker.id)[0]["lease_until"] > begun + timedelta(seconds=1.5)
        )


def test_a_renewal_that_waits_for_a_lock_is_cancelled_and_repeated(installation):
    leases = StoredLeases(installation.datastore, timedelta(seconds=0.6))
    lease = Lease(worker := uuid4(), leases, SYSTEM_CLOCK, timedelta(seconds=0.6))
    lease.start()
    until = "select lease_until from workers where worker_id = %s"
    pids: set[int] = set()

    def waited_twice():
        """Each attempt has a connection of its own, because the one before was cancelled."""
        pids.update(row["pid"] for row in installation.rows(WAITING))
        return len(pids) > 1

    with installation.datastore.connect() as other, other.transaction():
        other.execute("select from workers where worker_id = %s for update", (worker,))
        installation.until(waited_twice)
        before = installation.rows(until, worker)[0]["lease_until"]
    installation.until(lambda: installation.rows(until, worker)[0]["lease_until"] > before)
    lease.stop()
