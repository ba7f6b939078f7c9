"""Processes and agents at the command line: taken out of use, out of the archive, and tried."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("database")

Run = Callable[..., Any]
WAITING = "name: waiting\nsteps: [{id: wait, type: timer, duration: 1h}]\n"


@pytest.fixture
def waiting(procession: Run, tmp_path: Path) -> str:
    """A published process."""
    file = tmp_path / "waiting.yaml"
    file.write_text(WAITING)
    assert procession("publish", str(file)).exit_code == 0
    return "waiting"


def test_a_process_goes_into_the_archive_and_comes_back(procession: Run, waiting: str) -> None:
    archive = ("processes", "archive", waiting, "--reason", "old")
    rehearsed = procession(*archive, "--dry-run", "--json")
    assert [each["type"] for each in json.loads(rehearsed.stdout)["would_record"]] == ["ProcessArchived"]
    assert procession(*archive).stdout == "waiting: archived\n"
    assert procession(*archive).stdout == "waiting: archived already\n"
    refused = procession("start", waiting)
    assert (refused.exit_code, "archived" in refused.stderr) == (1, True)
    restore = ("processes", "restore", waiting, "--reason", "needed")
    restored = json.loads(procession(*restore, "--json").stdout)
    assert (restored["version"], restored["new"], restored["warnings"]) == (1, True, [])
    assert procession(*restore).stdout == "waiting: is not in the archive\n"
    assert procession("start", waiting).exit_code == 0


def test_a_name_that_does_not_exist_is_refused_with_the_nearest(procession: Run, waiting: str) -> None:
    refused = procession("processes", "restore", "waitin", "--reason", "needed")
    assert refused.exit_code == 1
    assert "there is no process 'waitin'" in refused.stderr


def test_an_agent_is_tried(procession: Run) -> None:
    register = ("agents", "register", "writer", "--kind", "scripted", "--set", "script=echo")
    assert procession(*register).exit_code == 0
    tried = procession("agents", "try", "writer", "--message", "hello there", "--json")
    assert (tried.exit_code, json.loads(tried.stdout)["output"]) == (0, "hello there")
    shown = procession("agents", "try", "writer", "--message", "[bold]hello[/bold]").stdout
    assert "writer: completed in " in shown
    assert "[bold]hello[/bold]" in shown
    assert procession("agents", "register", "breaker", "--kind", "scripted", "--set", "script=fail").exit_code == 0
    failed = procession("agents", "try", "breaker", "--message", "go")
    assert (failed.exit_code, "agent_error" in failed.stdout) == (1, True)
    nobody = procession("agents", "try", "nobody", "--message", "go")
    assert (nobody.exit_code, "there is no agent" in nobody.stderr) == (1, True)
    assert procession("agents", "try", "writer", "--message", "go", "--parameters", "[]").exit_code == 2


def test_a_process_is_paused_and_resumed(procession: Run, waiting: str) -> None:
    pause = ("processes", "pause", waiting, "--reason", "broken", "--mode", "refuse")
    rehearsed = procession(*pause, "--dry-run", "--json")
    assert [each["type"] for each in json.loads(rehearsed.stdout)["would_record"]] == ["ProcessPaused"]
    assert procession(*pause).stdout == "waiting: paused\n"
    assert procession(*pause).stdout == "waiting: paused already\n"
    refused = procession("start", waiting)
    assert (refused.exit_code, "paused and refuses starts: broken" in refused.stderr) == (1, True)
    assert procession("processes", "pause", waiting, "--reason", "x", "--mode", "qeue").exit_code == 2
    resume = ("processes", "resume", waiting, "--reason", "mended")
    assert procession(*resume).stdout == "waiting: resumed\n"
    assert procession(*resume).stdout == "waiting: is not paused\n"
    assert procession("start", waiting).exit_code == 0
