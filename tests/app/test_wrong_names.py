"""Names and values that do not exist: each command gives the name, and the nearest one, and does nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.wiring import Wiring
from tests.waiting import until

Run = Callable[..., Any]

REASON = ("--reason", "why not")
LEVEL = ("--kind", "daily", "--amount", "1")


PROCESS_COMMANDS = (
    ("executions", "--process"),
    ("timers", "--process"),
    ("approvals", "--process"),
    ("schedules", "list", "--process"),
    ("analytics", "processes", "--process"),
    ("costs", "alerts", "--process"),
    ("costs", "thresholds"),
    ("costs", "simulate", *LEVEL),
    ("costs", "set-threshold", *LEVEL),
    ("costs", "clear-threshold", "--kind", "daily"),
    ("roles", "show"),
    ("roles", "drift"),
    ("roles", "set"),
    ("processes", "show"),
    ("processes", "pause", *REASON),
    ("templates", "update"),
)


def test_a_process_that_does_not_exist_is_named_with_the_nearest(
    working: Wiring, hello: Path, procession: Run, document: Run
) -> None:
    until(lambda: "hello" in procession("processes", "list").stdout)
    for command in PROCESS_COMMANDS:
        words = ("helo", "greet", "echo", "informed") if command == ("roles", "set") else ("helo",)
        error = document(*command, *words, code=1)["error"]
        assert error["message"] == "there is no process 'helo'; did you mean `hello`?", command


@pytest.mark.parametrize(
    "command",
    [
        ("projections", "show", "exection_list"),
        ("projections", "request", "exection_list", "verify", *REASON),
        ("projections", "withdraw", "exection_list", *REASON),
        ("projections", "retry-event", "exection_list", "1", *REASON),
        ("projections", "skip-event", "exection_list", "1", *REASON),
    ],
    ids=" ".join,
)
def test_a_read_model_that_does_not_exist_is_named_with_the_nearest(database: str, document: Run, command) -> None:
    error = document(*command, code=1)["error"]
    assert error["code"] == "read_model_not_found"
    assert error["message"] == "there is no read model 'exection_list'; did you mean `execution_list`?"


def test_a_key_that_does_not_exist_is_named(database: str, document: Run) -> None:
    for id in ("mine", "01a22957-b8e9-7a42-a62b-e290124b4a3a"):
        error = document("keys", "revoke", id, *REASON, code=1)["error"]
        assert id in error["message"]


@pytest.mark.parametrize("zone", ["EST", "CET", "localtime"])
@pytest.mark.parametrize(
    "command", [("analytics", "processes"), ("costs", "simulate", "hello", *LEVEL)], ids=["analytics", "simulation"]
)
def test_an_abbreviation_is_no_zone(hello: Path, document: Run, command: tuple[str, ...], zone: str) -> None:
    error = document(*command, "--timezone", zone, code=1)["error"]
    assert zone in error["message"]
    assert "write a zone such as" in error["message"]


@pytest.mark.parametrize("command", [("executions",), ("analytics", "processes"), ("analytics", "trends")])
@pytest.mark.parametrize("version", ["99999999999999999999", "2147483648", "0"])
def test_a_version_that_no_column_holds_is_wrong_usage(database: str, procession: Run, command, version: str) -> None:
    done = procession(*command, "--version", version)
    assert done.exit_code == 2
    assert "--version" in done.stderr


def test_a_filter_without_text_and_a_folder_that_is_none_are_wrong_usage(hello: Path, procession: Run) -> None:
    assert procession("agents", "filter", "echo", "--process", "").exit_code == 2
    done = procession("templates", "check", "--folder", "x" * 5_000)
    assert done.exit_code == 2
    assert "cannot be read" in done.stderr


def test_a_file_without_an_end_is_wrong_usage(hello: Path, tmp_path: Path, procession: Run) -> None:
    (tmp_path / "endless.yaml").symlink_to("/dev/zero")
    done = procession("roles", "set", "hello", "--file", str(tmp_path / "endless.yaml"))
    assert done.exit_code == 2
    assert "a change set is at most" in done.stderr
    assert procession("roles", "set", "hello", "--file", str(tmp_path / "none")).exit_code == 2
    # The bytes of a template have a limit, too, and are reported as a problem of the file.
    done = procession("templates", "check", "--folder", str(tmp_path), "endless")
    assert done.exit_code == 1
    assert "too_large" in done.stdout
