"""A command that reads shows what was recorded before it began, or states plainly that read models lack it."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.wiring import Wiring
from projections.locks import RUNNER_LOCK, wait_for_lock
from queries.caught_up import CaughtUpReading, Lacking
from queries.exchange import Question, exchange
from queries.projections import list_projections
from tests.waiting import LIMIT_SECONDS, until

PROCESSION = str(Path(sys.executable).with_name("procession"))
REGISTER = ("--kind", "scripted", "--set", "script=echo")
DIRECTORY = "agent_directory"
NO_PROJECTOR = "no projector is running, and read models lack the newest events (`procession work` runs one)"
WAITING = "%from notification_tracking t left join projections p%"

Run = Callable[..., Any]
Launch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def launch(database: str, tmp_path: Path) -> Iterator[Launch]:
    """Start `procession` as a process of its own; it is killed at the end if it still runs."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        command = [PROCESSION, *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, text=True, cwd=tmp_path, env=dict(os.environ), **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def attended(database: str) -> Iterator[psycopg.Connection[Any]]:
    """Hold the directory of agents as a projector does, and leave its rows as they are; yield the connection."""
    with psycopg.connect(database, autocommit=True) as connection:
        wait_for_lock(connection, RUNNER_LOCK, DIRECTORY)
        yield connection


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=LIMIT_SECONDS)
    return process.returncode, out, err


def moved(connection: psycopg.Connection[Any], name: str) -> None:
    """Move a read model to the end of the log, without rows."""
    end = "(select max(notification_id) from stored_events)"
    connection.execute(f"update notification_tracking set notification_id = {end} where application_name = %s", (name,))


def runs(wiring: Wiring) -> bool:
    """Return whether a projector runs every read model."""
    return {each.state for each in list_projections(wiring.reading).items} == {"running"}


def read(reading: CaughtUpReading, *beside: str) -> None:
    with reading.of(DIRECTORY, beside=beside):
        pass


def test_without_a_projector_a_command_answers_at_once_and_says_so(hello: Path, procession: Run, document: Run) -> None:
    named = procession("agents", "show", "echo")
    assert named.exit_code == 3
    assert named.stderr.strip() == f"error: there is no agent 'echo'; {NO_PROJECTOR}"
    assert document("processes", "show", "hello", code=3)["error"]["code"] == "not_yet"
    listed = procession("agents", "list")
    assert (listed.exit_code, listed.stdout, listed.stderr) == (0, "none\n", f"{NO_PROJECTOR}\n")
    assert document("agents", "list")["items"] == []
    frozen = document("batches", "create", "--act", "cancel", "--process", "hello", code=3)["error"]
    assert (frozen["code"], frozen["message"]) == ("not_yet", NO_PROJECTOR)
    # The log itself lacks nothing.
    assert procession("workers").stderr == ""


def test_a_projector_that_starts_late_is_waited_for_once_it_runs(
    hello: Path, procession: Run, launch: Launch, wiring: Wiring
) -> None:
    started = launch("start", "hello", "--json")
    code, out, err = ended(started)
    assert code == 0, err
    execution = out.split('"execution_id": "')[1].split('"')[0]
    code, _, err = ended(launch("show", execution))
    assert code == 3
    assert NO_PROJECTOR in err
    launch("work")
    until(lambda: runs(wiring))
    assert procession("publish", str(hello)).exit_code == 0
    for name in ("later", "latest"):
        assert procession("agents", "register", name, *REGISTER).exit_code == 0
        code, out, err = ended(launch("agents", "show", name))
        assert (code, out.split(":")[0], err) == (0, name, "")
    code, out, err = ended(launch("show", execution))
    assert (code, err) == (0, "")
    assert out.startswith(execution)


def test_a_command_waits_for_a_projector_that_is_behind(
    hello: Path, procession: Run, launch: Launch, wiring: Wiring, database: str
) -> None:
    launch("work")
    until(lambda: runs(wiring))
    with psycopg.connect(database) as holding, psycopg.connect(database, autocommit=True) as watching:
        holding.execute(f"lock table {DIRECTORY} in exclusive mode")
        assert procession("agents", "register", "later", *REGISTER).exit_code == 0
        before = {pid for (pid,) in watching.execute("select pid from pg_stat_activity")}
        showing = launch("agents", "show", "later")

        def waits() -> bool:
            asks = watching.execute("select pid from pg_stat_activity where query like %s", (WAITING,))
            return showing.poll() is not None or any(pid not in before for (pid,) in asks)

        until(waits)
        assert showing.poll() is None
        holding.rollback()
        code, out, err = ended(showing)
    assert (code, out.split(":")[0], err) == (0, "later", "")


def test_a_query_waits_for_the_end_of_the_log_at_the_first_one(
    hello: Path, wiring: Wiring, attended: psycopg.Connection[Any]
) -> None:
    reading = CaughtUpReading(wiring.reading, wait_seconds=LIMIT_SECONDS)
    waiting = threading.Thread(target=read, args=(reading,))
    waiting.start()
    moved(attended, DIRECTORY)
    waiting.join(LIMIT_SECONDS)
    assert not waiting.is_alive()
    assert reading.lacking is None


def test_a_wait_has_an_end(hello: Path, wiring: Wiring, attended: psycopg.Connection[Any]) -> None:
    reading = CaughtUpReading(wiring.reading, wait_seconds=0.01)
    read(reading)
    assert reading.lacking == Lacking(DIRECTORY, "slow")


def test_a_read_model_that_fails_is_not_waited_for(
    hello: Path, wiring: Wiring, procession: Run, attended: psycopg.Connection[Any]
) -> None:
    attended.execute("update projections set failure = 'disk full' where name = %s", (DIRECTORY,))
    reading = CaughtUpReading(wiring.reading, wait_seconds=LIMIT_SECONDS)
    read(reading)
    assert reading.lacking == Lacking(DIRECTORY, "failed")
    stated = f"the read model {DIRECTORY} fails, and lacks the newest events (`procession projections list` says why)"
    assert procession("agents", "list").stderr == f"{stated}\n"


def test_what_others_record_during_a_command_is_not_waited_for(
    hello: Path, wiring: Wiring, procession: Run, attended: psycopg.Connection[Any]
) -> None:
    moved(attended, DIRECTORY)
    reading = CaughtUpReading(wiring.reading, wait_seconds=LIMIT_SECONDS)
    read(reading)
    assert procession("agents", "register", "later", *REGISTER).exit_code == 0
    read(reading)
    assert reading.lacking is None
    # A statement that reads two read models waits for both.
    read(reading, "execution_list")
    assert reading.lacking == Lacking("execution_list", "unattended")


def test_an_exchange_of_several_questions_waits_for_each_read_model_too(
    hello: Path, wiring: Wiring, attended: psycopg.Connection[Any]
) -> None:
    moved(attended, DIRECTORY)
    for beside, lacking in (((), None), (("execution_list",), Lacking("execution_list", "unattended"))):
        reading = CaughtUpReading(wiring.reading, wait_seconds=LIMIT_SECONDS)
        with exchange(reading) as together:
            together.add(Question(DIRECTORY, "select 1", (), lambda rows, _: len(rows), beside))
        assert reading.lacking == lacking
