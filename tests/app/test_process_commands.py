"""Processes at the command line: taken out of use, and out of the archive."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
