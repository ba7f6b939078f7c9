"""`procession start`, `executions` and `show`: running processes from the command line."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.wiring import Wiring

Run = Callable[..., Any]


def test_started_and_waited_for_it_shows_its_outputs(document: Run, hello: Path, working: Wiring) -> None:
    ended = document("start", "hello", "-i", "who=7", "-i", "times=2", "--wait", "--timeout", "120s")
    assert ended["status"] == "completed"
    assert ended["outputs"] == {"text": "Hello 7, 2", "times": 2}


def test_input_can_come_from_a_file_with_fields_on_top(
    document: Run, hello: Path, working: Wiring, tmp_path: Path
) -> None:
    file = tmp_path / "in.json"
    file.write_text(json.dumps({"who": "Ann", "times": 3}))
    ended = document("start", "hello", "--input-json", str(file), "--input", "times=4", "--wait", "--timeout", "120s")
    assert ended["outputs"] == {"text": "Hello Ann, 4", "times": 4}


def test_an_execution_that_fails_is_exit_code_1_and_says_why(procession: Run, failing: Path, working: Wiring) -> None:
    result = procession("start", "failing", "--wait", "--timeout", "120s")
    assert result.exit_code == 1
    assert "failed in" in result.stdout
    assert "step second: the script says so [agent_error]" in result.stdout


def test_without_a_worker_it_says_so_and_gives_up_in_time(procession: Run, hello: Path) -> None:
    result = procession("start", "hello", "--wait", "--timeout", "50ms")
    assert result.exit_code == 3
    assert "no worker is running" in result.stderr


def test_without_waiting_it_is_started_and_known(document: Run, hello: Path, wiring: Wiring) -> None:
    started = document("start", "hello")
    assert started["version"] == 1
    assert wiring.executions.load(uuid.UUID(started["execution_id"])).status == "running"


REFUSED_INPUT = {
    ("--input", "times=many"): "wrong_type",
    ("--input", "whom=Ann"): "unknown_input",
    ("--input", "who"): "bad_pair",
    ("--input", "who=a", "--input", "who=b"): "duplicate_key",
}
REFUSED_DOCUMENTS = (b"[1]", b"{", b'{"who": "\xff"}', b'{"a": 1, "a": 2}', b'{"n": 1e999}', b"[" * 100_000)


def test_input_that_the_process_does_not_take_is_refused_and_nothing_starts(
    document: Run, hello: Path, wiring: Wiring
) -> None:
    before = wiring.log.last_position()
    for arguments, code in REFUSED_INPUT.items():
        error = document("start", "hello", *arguments, code=1)["error"]
        assert [problem["code"] for problem in error["problems"]] == [code]
    for text in REFUSED_DOCUMENTS:
        assert document("start", "hello", "--input-json", "-", code=1, given=text)["error"]["problems"]
    assert wiring.log.last_position() == before


def test_what_is_not_there_is_not_found(document: Run, database: str) -> None:
    unknown = "0190a5b4-0000-7000-8000-000000000000"
    for arguments in (
        ("start", "nobody"),
        ("start", "NOT A NAME"),
        ("start", unknown),
        ("show", unknown),
        ("show", "x"),
    ):
        assert document(*arguments, code=1)["error"]["code"] == "not_found"
    assert document("executions", "--cursor", "%%%", code=1)["error"]["code"] == "bad_cursor"


def test_executions_are_listed_and_shown(document: Run, procession: Run, failing: Path, working: Wiring) -> None:
    completed = document("start", "hello", "--wait", "--timeout", "120s")
    failed = document("start", "failing", "--wait", "--timeout", "120s", code=1)
    _projected(working, max(completed["position"], failed["position"]))

    listed = document("executions")["items"]
    assert [(each["process"], each["status"]) for each in listed] == [("failing", "failed"), ("hello", "completed")]
    assert [each["process"] for each in document("executions", "--status", "failed")["items"]] == ["failing"]
    assert document("executions", "--process", "hello", "--to", "2000-01-01T00:00:00Z")["items"] == []
    first = document("executions", "--limit", "1")
    rest = document("executions", "--limit", "1", "--cursor", first["next_cursor"])
    assert [each["process"] for each in first["items"] + rest["items"]] == ["failing", "hello"]

    shown = document("show", failed["execution_id"])
    assert [(step["id"], step["status"]) for step in shown["steps"]] == [("first", "completed"), ("second", "failed")]
    types = [event["type"] for event in document("show", failed["execution_id"], "--events")["items"]]
    assert (types[0], types[-1]) == ("ExecutionStarted", "ExecutionFailed")
    for arguments in (("executions",), ("show", failed["execution_id"]), ("show", failed["execution_id"], "--events")):
        assert "failed" in procession(*arguments).stdout.lower()


@pytest.mark.parametrize(
    "arguments", [("--status", "done"), ("--from", "yesterday"), ("--from", "2026-01-01"), ("--limit", "0")]
)
def test_a_filter_that_means_nothing_is_wrong_usage(procession: Run, arguments: tuple[str, ...]) -> None:
    assert procession("executions", *arguments).exit_code == 2


def _projected(wiring: Wiring, position: int) -> None:
    wiring.progress.start()
    try:
        for name in ("execution_list", "execution_detail"):
            assert wiring.progress.reached(name, position, 60)
    finally:
        wiring.progress.stop()
