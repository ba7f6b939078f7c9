"""PgBouncer between: a pooler of sessions serves, one of transactions is refused and keeps no lock."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo
from typer.testing import CliRunner

from app.cli import cli
from queries.exchange import Question, exchange
from queries.progress import LOG, ExecutionProgress
from queries.reading import Reading
from store.connections import Connections, connect
from store.locks import MIGRATION_LOCK
from store.migrating import migrate
from store.pooling import require_sessions
from store.unsuitable import DatabaseUnsuitable
from tests.clusters.installation import Greeting
from tests.clusters.node import Cluster, Node
from tests.clusters.pooler import Pooler
from tests.waiting import until

LOCKS = "select count(*) from pg_locks where locktype = 'advisory'"


@pytest.fixture(scope="module")
def cluster(programs_in: Path) -> Iterator[Cluster]:
    """One cluster for all tests here, which leave it as it is."""
    with closing(Cluster(programs_in)) as made:
        yield made


@pytest.fixture(scope="module")
def primary(cluster: Cluster, migrated: Path) -> Node:
    return cluster.copy("one", migrated)


@pytest.fixture
def transactions(cluster: Cluster, primary: Node) -> Iterator[Pooler]:
    with Pooler(cluster, primary, "transaction") as pooler:
        yield pooler


def test_a_pooler_of_transactions_is_refused_with_what_to_do_and_keeps_no_lock(
    monkeypatch: pytest.MonkeyPatch, transactions: Pooler, primary: Node
) -> None:
    monkeypatch.setenv("DATABASE_URL", transactions.dsn)
    for command in ("migrate", "serve --port 0", "work", "up --port 0", "projections rebuild --all"):
        done = CliRunner().invoke(cli, command.split())
        assert (command, done.exit_code) == (command, 3)
        assert "pool_mode = session" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert primary.rows(LOCKS) == [(0,)]


def test_a_busy_pooler_of_transactions_is_recognised(transactions: Pooler) -> None:
    with (
        psycopg.connect(transactions.dsn) as busy,
        psycopg.connect(transactions.dsn, autocommit=True) as one,
        psycopg.connect(transactions.dsn, autocommit=True) as other,
    ):
        one.execute("select 1")
        busy.execute("select 1")  # holds the session that served `one`
        with pytest.raises(DatabaseUnsuitable, match="pool_mode = session"):
            require_sessions(one, other)


def test_a_replica_behind_a_pooler_of_transactions_is_refused(
    monkeypatch: pytest.MonkeyPatch, cluster: Cluster, primary: Node, standby: Node
) -> None:
    monkeypatch.setenv("DATABASE_URL", primary.dsn)
    with Pooler(cluster, standby, "transaction") as pooler:
        monkeypatch.setenv("READ_DATABASE_URL", pooler.dsn)
        done = CliRunner().invoke(cli, ["executions"])
    assert done.exit_code == 3
    assert "READ_DATABASE_URL" in done.stderr


def test_an_installation_works_through_a_pooler_of_sessions(cluster: Cluster, primary: Node) -> None:
    primary.rows("create database pooled encoding 'UTF8' template template0")
    with Pooler(cluster, primary, "session", size=60) as pooler:
        dsn = conninfo.make_conninfo(pooler.dsn, dbname="pooled")
        with Greeting(cluster, dsn) as installation:
            assert installation.run("migrate") == 0, installation.words()
            installation.launch("work", "work")
            installation.serve()
            installation.publish_hello()
            ended = installation.completed(installation.start("one"))
            assert ended["outputs"] == {"text": "Hello you"}
            # The lists of a page are read in one exchange, which sends its statements before it reads an answer.
            for page, text in (("/", "Overview"), (f"/executions/{ended['execution_id']}", "Hello you")):
                shown = installation.client.get(page)
                assert (page, shown.status_code) == (page, 200)
                assert text in shown.text
        with closing(Connections(dsn, pool_size=1)) as connections:
            reading = Reading(connections, ExecutionProgress(connections))
            assert answers(reading, "execution_list", "agent_directory") == [1, 1]
            with pytest.raises(psycopg.errors.UndefinedTable):
                answers(reading, "execution_list", "no_such_table", "agent_directory")
            # The session that the failed exchange leaves is in order.
            assert answers(reading, "execution_list", "process_catalogue") == [1, 1]
        with closing(Connections(dsn)) as connections, connections.reading() as connection:
            assert connection.execute("show lock_timeout").fetchone() == {"lock_timeout": "30s"}
        with connect(dsn, temp_buffers="1MB") as connection:
            # A session that is lent again and has used temporary tables keeps the size of their buffers.
            assert connection.execute("show lock_timeout").fetchone() == ("30s",)
        until(lambda: primary.rows(LOCKS) == [(0,)])


def answers(reading: Reading, *tables: str) -> list[int]:
    """Return the number of rows of each table, all counted in one exchange."""
    with exchange(reading) as together:
        found = [
            together.add(Question(LOG, f"select count(*) as n from {table}", (), lambda rows, _: int(rows[0]["n"])))
            for table in tables
        ]
    return [each.view() for each in found]


def test_the_reason_of_a_failed_connection_is_shown(cluster: Cluster, primary: Node) -> None:
    with Pooler(cluster, primary, "session") as pooler:
        dsn = pooler.dsn
    assert "refused" in refusal_of(dsn)
    assert "all 1 connections of this pool are in use" in refusal_of(primary.dsn, in_use=True)


def refusal_of(dsn: str, *, in_use: bool = False) -> str:
    """Return why a pool of one connection lends none. in_use: another one has it."""
    with closing(Connections(dsn, pool_size=1)) as connections, ExitStack() as others:
        if in_use:
            others.enter_context(connections.reading())
        with pytest.raises(psycopg.OperationalError) as failed, connections.reading(0.1):
            raise AssertionError("there is a connection")
    return str(failed.value)


def test_who_waits_for_the_lock_of_migrations_says_who_holds_it(
    primary: Node, caplog: pytest.LogCaptureFixture
) -> None:
    primary.rows("create database waited encoding 'UTF8' template template0")
    dsn = conninfo.make_conninfo(primary.dsn, dbname="waited")
    with (
        psycopg.connect(dsn, application_name="another program", autocommit=True) as holder,
        ThreadPoolExecutor(1) as pool,
    ):
        holder.execute("select pg_advisory_lock(%s)", (MIGRATION_LOCK,))
        with caplog.at_level(logging.WARNING):
            waiting = pool.submit(migrate, dsn)
            until(lambda: "waiting for the lock of migrations (4712)" in caplog.text)
        assert f"process {holder.info.backend_pid} of the server holds (another program from 127.0.0.1" in caplog.text
        holder.execute("select pg_advisory_unlock(%s)", (MIGRATION_LOCK,))
        assert waiting.result(60)
