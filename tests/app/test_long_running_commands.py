"""`up`, `serve`, `work` and `demo` as processes of their own: they start, are told to end, and end in order."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from app.demo.examples import example_processes, find_examples
from app.demo.made import example_uses
from app.demo.running import prepare
from app.waiting import wait_for_end
from app.wiring import Wiring
from tests.waiting import until

PROCESSION = str(Path(sys.executable).with_name("procession"))
Run = Callable[..., Any]
Launch = Callable[..., "subprocess.Popen[str]"]

SLOW = "name: slow\nsteps:\n  - {id: wait, agent: slow, message: hi}\noutputs: {said: '{{ steps.wait.output }}'}\n"


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Start `procession` with some arguments outside the checkout; killed at the end if it still runs."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [PROCESSION, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONFAULTHANDLER": "1", **environment},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def slow(database: str, procession: Run, tmp_path: Path) -> Callable[[str], None]:
    """Publishes a process whose only step takes as long as said."""

    def publish(delay: str) -> None:
        file = tmp_path / "slow.yaml"
        file.write_text(SLOW)
        settings = ("--kind", "scripted", "--set", "script=slow", "--set", f"delay={delay}")
        assert procession("agents", "register", "slow", *settings).exit_code == 0
        assert procession("publish", str(file)).exit_code == 0

    return publish


def ready(process: "subprocess.Popen[str]") -> str:
    """The line with which a process says that it is ready."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "ready" in line, process.communicate(timeout=120)
    return line


def url_of(line: str) -> str:
    """The address of the API in that line."""
    return re.findall(r" at (http://[^,]+),", line)[0]


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """The exit code and what was written to standard error, once it has ended."""
    try:
        _, errors = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # it says where it stands
        pytest.fail(f"it does not end: {process.communicate()[1]}")
    return process.returncode, errors


def started(wiring: Wiring, url: str) -> str:
    """The id of an execution of slow, started over HTTP and under way with its agent."""
    execution_id: str = httpx2.post(f"{url}/api/processes/slow/executions", json={"input": {}}).json()["execution_id"]
    seen = threading.Event()
    for _ in range(6_000):
        events = wiring.log.streams([UUID(execution_id)])[UUID(execution_id)]
        if any(type(event).__name__ == "StepStarted" for event in events):
            return execution_id
        seen.wait(0.02)
    raise AssertionError("the step was not started")


def test_up_answers_finishes_open_calls_when_told_to_end_and_exits_0(
    launch: Launch, slow: Callable[[str], None], wiring: Wiring
) -> None:
    slow("700ms")
    process = launch("up", "--port", "0")
    url = url_of(ready(process))
    assert httpx2.get(f"{url}/health/live").status_code == 200
    execution_id = started(wiring, url)
    process.send_signal(signal.SIGTERM)
    code, errors = ended(process)
    assert (code, "Traceback" in errors) == (0, False), errors
    end = wait_for_end(wiring.log, UUID(execution_id), 0, lambda _done, _steps: None)
    assert end is not None
    assert end.outputs == {"said": "hi"}


def test_a_stream_somebody_listens_to_does_not_hold_up_the_end(launch: Launch, database: str) -> None:
    process = launch("serve", "--port", "0")
    url = url_of(ready(process))
    with httpx2.stream("GET", f"{url}/api/stream") as stream:
        assert next(stream.iter_lines())
        process.send_signal(signal.SIGINT)
        assert ended(process)[0] == 0


def test_a_second_signal_ends_at_once(launch: Launch, slow: Callable[[str], None], wiring: Wiring) -> None:
    slow("1h")
    process = launch("up", "--port", "0")
    url = url_of(ready(process))
    started(wiring, url)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "ending" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 130


def test_work_alone_carries_out_what_was_started_elsewhere(launch: Launch, hello: Path, document: Run) -> None:
    process = launch("work", "--lease", "2s", "--no-projector")
    ready(process)
    assert document("start", "hello", "--wait", "--timeout", "120s")["status"] == "completed"
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0


def test_a_wait_that_is_interrupted_is_exit_code_130_and_the_execution_goes_on(
    launch: Launch, hello: Path, wiring: Wiring
) -> None:
    process = launch("start", "hello", "--wait")
    assert process.stderr is not None
    assert "no worker is running" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    code, errors = ended(process)
    assert (code, errors) == (130, "")
    assert "ExecutionStarted" in [event.topic for event in wiring.log.page(0, 100)]


def test_a_port_that_is_taken_is_said_to_be(procession: Run, database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = procession("up", "--port", port)
    assert result.exit_code == 1
    assert f"port {port} on 127.0.0.1 is taken" in result.stderr


def test_the_examples_are_published_once_and_stay_as_they_are(wiring: Wiring) -> None:
    first = prepare(wiring, find_examples(None))
    again = prepare(wiring, find_examples(None))
    assert (first.new_agents, first.new_versions) == (first.agents, first.processes)
    assert (again.new_agents, again.new_versions) == (0, 0)
    assert len(again.runs) > again.processes


def test_the_demo_runs_on_a_server_of_its_own_and_shows_a_table(launch: Launch, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = launch(
            "demo",
            "--once",
            "--port",
            str(port),
            PROCESSION_HOME=str(tmp_path / "home"),
            DATABASE_URL="",
        )
        shown, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert f"port {port} is taken" in errors
    table = shown.splitlines()
    folder = find_examples(None)
    runs = sum(len(each.inputs) for each in (*example_processes(folder), *example_uses(folder)))
    assert sum(" completed " in line for line in table) == runs - 2
    assert sum(" failed " in line for line in table) == 2
    assert "mail_server_busy" in shown
    assert "0.031248 USD" in shown
    assert "/docs" in shown
    assert "/api/stream" in shown
    # The watcher finds its module when an installed command starts it, too: the server ends after its last user.
    running = tmp_path / "home" / "postgres" / "server" / "data" / "postmaster.pid"
    until(lambda: not running.exists())
