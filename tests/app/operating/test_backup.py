"""A dump taken under load is restored elsewhere: nothing acknowledged is lost, and nothing recorded is called again."""

import json
import os
import runpy
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo

from app.database import Database
from app.running import running
from app.settings import read_settings
from app.signals import Stopping
from app.wiring import Wiring, operator, wired
from commands.executions import StartExecution
from domain.identity import process_id
from tests.counting_agent import CountingAgent, counting_agent
from tests.postgresql_programs import programs

ROOT = Path(__file__).parents[3]
CHAIN = """
name: chain
steps:
  - {id: a, agent: counted, message: a}
  - {id: b, agent: counted, message: b, depends_on: a}
  - {id: rest, type: timer, duration: 20ms, depends_on: b}
  - {id: c, agent: counted, message: c, depends_on: rest}
outputs: {last: "{{ steps.c.output }}"}
"""
AT_LEAST = 15
ROWS = """select notification_id, originator_id, originator_version, topic, state from stored_events
where notification_id <= %s"""
RECORDED = """select originator_id::text || ':' || (e ->> 'step') || ':' || (e ->> 'attempt')
from (select originator_id, convert_from(state, 'utf8')::json as e from stored_events
  where topic = 'StepCompleted') completed where e ->> 'step' <> 'rest'"""
ENDS = "select topic, count(*) from stored_events where topic ~ '^Execution(Started|Completed|Failed)$' group by topic"


@pytest.fixture
def agent() -> Iterator[CountingAgent]:
    """An agent that answers at once, and counts its calls by Idempotency-Key."""
    with counting_agent() as made:
        yield made


@contextmanager
def at_work(dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wiring]:
    """A worker and a projector on a database."""
    monkeypatch.setenv("DATABASE_URL", dsn)
    settings = read_settings()
    with Database(settings) as opened, wired(settings, opened) as wiring:
        opened.migrate(serving=True, projecting=True)
        with running(wiring, settings, Stopping()) as roles:
            roles.start_projector()
            roles.start_worker(None)
            yield wiring


def commands(section: str) -> list[str]:
    """The commands of a section of the page on operating."""
    reading = runpy.run_path(str(ROOT / "tests/docs/reading.py"))
    blocks = [block for block in reading["blocks"](ROOT / "docs/operating.md") if block.section == section]
    return [command for block in blocks if block.language == "sh" for command in block.commands]


def test_a_backup_under_load_is_restored_whole(place, procession, agent, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PROCESSION_LEASE", "1s")
    monkeypatch.delenv("READ_DATABASE_URL", raising=False)
    source = place.database()
    name = f"{place.name_of(source)}_restored"
    restored = conninfo.make_conninfo(source, dbname=name)
    dump, *restore = commands("Backup and restore")
    assert "pg_dump" in dump

    # given: executions under way, and more of them started all the time
    stopping, started = threading.Event(), Counter[str]()
    with at_work(source, monkeypatch) as wiring:
        (tmp_path / "chain.yaml").write_text(CHAIN)
        register = ("agents", "register", "counted", "--kind", "http", "--set", f"url={agent.url}")
        assert procession(*register).exit_code == 0
        assert procession("publish", str(tmp_path / "chain.yaml")).exit_code == 0

        def load() -> None:
            while not stopping.wait(0.01):
                wiring.executions.start(StartExecution(process_id("chain")), operator("load"))
                started["all"] += 1

        loading = threading.Thread(target=load)
        loading.start()
        try:
            wait(lambda: started["all"] >= AT_LEAST and len(agent.keys) > AT_LEAST)
            with psycopg.connect(source, autocommit=True) as busy:
                wait(lambda: busy.execute(RECORDED).fetchone())
            acknowledged = wiring.log.last_position()
            # when: it is dumped, and goes on for a while
            run(dump, tmp_path, DATABASE_URL=source)
            after = started["all"]
            wait(lambda: started["all"] >= after + AT_LEAST)
        finally:
            stopping.set()
            loading.join()
    place.adopt(name)
    for command in restore:
        run(command.replace("procession_restored", name), tmp_path, DATABASE_URL=source, RESTORED_URL=restored)

    # then: everything up to the dump is there, byte for byte
    with psycopg.connect(source) as one, psycopg.connect(restored) as other:
        assert one.execute(ROWS, (acknowledged,)).fetchall() == other.execute(ROWS, (acknowledged,)).fetchall()
        recorded = {key for (key,) in other.execute(RECORDED)}
    called = Counter(agent.keys)

    # and: what it holds is brought to an end, and no answer that it holds is requested again
    with at_work(restored, monkeypatch), psycopg.connect(restored, autocommit=True) as watching:
        wait(lambda: ended(watching))
        verified = json.loads(procession("projections", "verify", "--json").stdout)["verified"]
        assert {each["differing"] for each in verified} == {0}
    again = {key for key, count in Counter(agent.keys).items() if count > called[key]}
    assert recorded
    assert recorded <= called.keys()
    assert again & recorded == set()


def ended(watching: psycopg.Connection[Any]) -> bool:
    found = dict(watching.execute(ENDS).fetchall())
    return found["ExecutionStarted"] == found.get("ExecutionCompleted")


def run(command: str, directory: Path, **variables: str) -> None:
    """Run a command of the page, with the programs of the embedded server."""
    environment = {**os.environ, **variables, "PATH": f"{programs()}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, shell=True, cwd=directory, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def wait(condition) -> None:
    """Wait on a fact, with a deadline."""
    pause = threading.Event()
    for _ in range(2_400):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("waited in vain")
