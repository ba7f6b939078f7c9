"""What the other tests here rely on: nodes replicate, stall, die and take over as asked, and poolers pool."""

from concurrent.futures import ThreadPoolExecutor

import psycopg

from tests.clusters.node import Cluster, Node
from tests.clusters.pooler import Pooler
from tests.waiting import until

PID = "select pg_backend_pid()"


def test_a_standby_shows_what_the_primary_writes_unless_replay_is_paused(primary: Node, standby: Node) -> None:
    primary.rows("create table seen (n int)")
    standby.await_replay(primary)
    standby.pause_replay()
    primary.rows("insert into seen values (1)")
    assert standby.rows("select n from seen") == []
    standby.resume_replay()
    standby.await_replay(primary)
    assert standby.rows("select n from seen") == [(1,)]


def test_a_commit_waits_for_a_frozen_synchronous_standby(primary: Node, standby: Node) -> None:
    primary.rows("create table seen (n int)")
    primary.synchronous("ANY 1 (two)")
    standby.freeze()
    with ThreadPoolExecutor(1) as pool:
        commit = pool.submit(primary.rows, "insert into seen values (1)")
        waiting = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'"
        until(lambda: primary.rows(waiting) != [(0,)])
        assert not commit.done()
        standby.thaw()
        commit.result(60)
    assert primary.rows("select n from seen") == [(1,)]


def test_a_standby_takes_over_and_the_killed_primary_comes_back_as_its_standby(
    cluster: Cluster, primary: Node, standby: Node
) -> None:
    primary.rows("create table seen (n int)")
    standby.await_replay(primary)
    primary.kill()
    standby.promote()
    standby.rows("insert into seen values (1)")
    back = cluster.standby("one", standby)
    assert back.dsn == primary.dsn
    back.await_replay(standby)
    assert back.rows("select n, pg_is_in_recovery() from seen") == [(1, True)]


def test_a_killed_primary_keeps_what_it_has_acknowledged(primary: Node) -> None:
    primary.rows("create table seen (n int)")
    primary.kill()
    primary.start()
    assert primary.rows("select n from seen") == []


def test_a_pooler_gives_its_server_connection_to_transactions_or_to_sessions(cluster: Cluster, primary: Node) -> None:
    shared = {}
    for mode in ("session", "transaction"):
        with (
            Pooler(cluster, primary, mode) as pooler,
            psycopg.connect(pooler.dsn, autocommit=True) as one,
            psycopg.connect(pooler.dsn, autocommit=True) as other,
        ):
            shared[mode] = one.execute(PID).fetchone() == other.execute(PID).fetchone()
    assert shared == {"session": False, "transaction": True}
