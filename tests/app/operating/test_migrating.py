"""`procession migrate`: repeated, run by several processes at once, and killed in the middle."""

import json
import os
import subprocess
import sys

import psycopg

from projections.tables import create_read_tables
from store.connections import connect
from store.migrating import migrations
from store.schema import describe
from tests.waiting import until

PROGRAM = [sys.executable, "-c", "from app.cli import main; main()", "migrate", "--json"]
LIMIT_SECONDS = 100.0
NAMES = [name for _, name, _ in migrations()]


def begin(dsn: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "DATABASE_URL": dsn}
    return subprocess.Popen(PROGRAM, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def applied(process: "subprocess.Popen[str]") -> list[str]:
    out, error = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 0, error
    found: list[str] = json.loads(out)["applied"]
    return found


def test_processes_that_migrate_at_once_apply_each_migration_once(place, own_dsn) -> None:
    dsn = place.database()
    each = [applied(process) for process in [begin(dsn) for _ in range(2)]]
    assert sorted(each) == [[], NAMES]
    with connect(own_dsn) as connection:
        create_read_tables(connection)
    assert shape(dsn) == shape(own_dsn)


def test_a_kill_in_the_middle_leaves_whole_migrations_and_the_next_run_goes_on(place, own_dsn) -> None:
    dsn = place.database()
    with psycopg.connect(dsn) as blocking, psycopg.connect(dsn, autocommit=True) as watching:
        # The third migration creates a table of this name, and so waits for the end of this transaction.
        blocking.execute("create table due_timers (other int)")
        process = begin(dsn)
        until(lambda: waiting(watching))
        process.kill()
        process.communicate()
        blocking.rollback()
        until(lambda: not waiting(watching))
        ledger = [name for (name,) in watching.execute("select name from schema_migrations order by number")]
        assert ledger == NAMES[:2]
        assert watching.execute("select to_regclass('due_timers')").fetchone() == (None,)
    assert applied(begin(dsn)) == NAMES[2:]
    assert applied(begin(dsn)) == []
    with connect(own_dsn) as connection:
        create_read_tables(connection)
    assert shape(dsn) == shape(own_dsn)


def shape(dsn: str) -> str:
    """Return the schema of a database, read tables included, as `migrate` leaves it."""
    with connect(dsn) as connection:
        return describe(connection)


def waiting(watching: "psycopg.Connection[tuple[int]]") -> bool:
    """Return whether a process that migrates waits for another transaction, or is still there."""
    query = """select count(*) from pg_stat_activity
      where datname = current_database() and application_name = 'procession migrate'
        and query like '%%create table due_timers%%'"""
    return watching.execute(query).fetchone() != (0,)
