"""A signal ends a process while it starts, and after a limit also one whose threads stand still."""

import os
import signal
import subprocess
import sys
from typing import Any

import psycopg
import pytest

from store.locks import MIGRATION_LOCK
from store.migrating import migrations
from tests.waiting import until

# The main thread, or a thread of a pool, waits for what never comes, as for a database that stands still.
STUCK = """
import threading
from concurrent.futures import ThreadPoolExecutor
from app.signals import Stopping
stopping, never = Stopping(), threading.Event()
with stopping.on_signals(limit=0.2):
    ThreadPoolExecutor().submit(never.wait) if {pooled} else None
    print("ready", flush=True)
    stopping.wait()
    None if {pooled} else never.wait()
"""
LIMIT_SECONDS = 100.0


@pytest.mark.parametrize("pooled", [False, True], ids=["main", "pool"])
def test_a_process_whose_threads_stand_still_ends_after_a_limit(pooled: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STUCK.format(pooled=pooled)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 1
    assert "has not ended within" in error


@pytest.mark.parametrize(
    ("number", "arguments", "code"),
    [
        (signal.SIGTERM, ("work",), 0),
        (signal.SIGINT, ("work",), 0),
        (signal.SIGTERM, ("up", "--port", "0"), 0),
        (signal.SIGTERM, ("demo", "--port", "0"), 130),
    ],
    ids=["work", "interrupted", "up", "demo"],
)
def test_a_process_that_waits_for_the_lock_of_migrations_ends_at_once(
    own_dsn: str, number: int, arguments: tuple[str, ...], code: int
) -> None:
    newest = migrations()[-1][0]
    environment = {**os.environ, "DATABASE_URL": own_dsn}
    program = [sys.executable, "-c", "from app.cli import main; main()", *arguments]
    with psycopg.connect(own_dsn) as holding, psycopg.connect(own_dsn, autocommit=True) as watching:
        watching.execute("delete from schema_migrations where number = %s", (newest,))
        holding.execute("select pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        with subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            until(lambda: waiting(watching))
            process.send_signal(number)
            output = process.communicate(timeout=LIMIT_SECONDS)
        assert process.returncode == code, output
        assert b"Traceback" not in output[1]
        assert watching.execute("select max(number) from schema_migrations").fetchone() == (newest - 1,)


def waiting(watching: psycopg.Connection[Any]) -> bool:
    """Return whether a process waits for the lock of migrations."""
    query = """select count(*) > 0 from pg_locks where locktype = 'advisory' and objid = %s and not granted
      and database = (select oid from pg_database where datname = current_database())"""
    return watching.execute(query, (MIGRATION_LOCK,)).fetchone() == (True,)
