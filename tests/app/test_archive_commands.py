"""`procession archive`: what would leave, what has left, and one execution read from the files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.wiring import Wiring
from tests.settled import settled
from tests.waiting import until

Run = Callable[..., Any]
AFTER = ("--ended-before", "2200-01-01")

PAID = """
name: paid
steps:
  - {id: work, agent: worker, message: hi}
  - {id: inner, type: sub_process, process: hello, depends_on: work}
"""


@pytest.fixture
def ended(document: Run, working: Wiring, hello: Path, publish: Run, tmp_path: Path, database: str) -> list[str]:
    """Three executions that have ended, each with a called one."""
    agent = tmp_path / "worker.yaml"
    agent.write_text('kind: scripted\nscript: echo\ncost: {amount: "0.30", currency: USD}\n')
    document("agents", "register", "worker", str(agent))
    publish("paid", PAID)
    ids = [document("start", "paid", "--wait")["execution_id"] for _ in range(3)]
    until(lambda: document("analytics", "processes")["total"]["completed"] == 3)
    until(lambda: settled(database))
    return ids


def before_now(document: Run) -> tuple[str, str]:
    """--ended-before with the time of now: everything ended before it."""
    from app.clock import SYSTEM_CLOCK

    return "--ended-before", SYSTEM_CLOCK.now().isoformat()


def test_executions_leave_the_log_and_the_figures_stay(
    document: Run, procession: Run, ended: list[str], tmp_path: Path, database: str
) -> None:
    folder = tmp_path / "files"
    command = ("archive", *before_now(document), "--to", str(folder))
    figures = ("analytics", "processes", "--include-children")
    before = document(*figures)
    planned = document(*command)
    assert (planned["archived"], planned["trees"], planned["executions"]) == (False, 3, 6)
    assert planned["stay"] == {}
    assert "--yes carries it out" in procession(*command).stdout
    assert not folder.exists()

    done = document(*command, "--yes")
    assert (done["archived"], done["trees"], done["executions"], done["stay"]) == (True, 3, 6, {})
    assert sorted(done["files"]) == sorted(file.name for file in folder.glob("*.parquet"))
    after = document(*figures)
    assert (after["archived"], after["total"]["archived"]) == (6, 6)
    assert [each["ended"] for each in after["items"]] == [each["ended"] for each in before["items"]]
    assert after["total"]["cost"] == before["total"]["cost"]
    assert "6 archived" in procession(*figures).stdout
    assert document("executions")["items"] == []

    again = document("archive", *before_now(document), "--to", str(folder), "--yes")
    assert (again["trees"], again["files"]) == (0, [])
    assert procession("projections", "verify").exit_code == 0
    assert procession("projections", "rebuild", "--all").exit_code == 0
    assert document(*figures)["total"]["cost"] == before["total"]["cost"]
    with psycopg.connect(database) as connection:
        logged = connection.execute("select count(*) from stored_events where topic like 'Execution%'").fetchone()
    assert logged == (len(done["files"]),)  # one ExecutionsArchived a file


def test_one_execution_is_read_from_the_files(
    document: Run, procession: Run, ended: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = document("show", ended[0], "--events")
    document("archive", *before_now(document), "--to", str(tmp_path / "files"), "--yes")
    gone = document("show", ended[0], code=1)["error"]
    assert gone["code"] == "archived"
    assert "procession archive show" in gone["message"]
    assert document("cancel", ended[0], "--reason", "late", code=1)["error"]["code"] == "archived"

    monkeypatch.setenv("DATABASE_URL", "postgresql://localhost:1/nowhere")
    read = document("archive", "show", ended[0], "--from", str(tmp_path / "files"))
    assert [each["type"] for each in read["events"]] == [each["type"] for each in shown["items"]]
    assert read["execution"]["status"] == "completed"
    assert "ExecutionCompleted" in procession("archive", "show", ended[0], "--from", str(tmp_path / "files")).stdout

    file = tmp_path / "files" / read["file"]
    file.write_bytes(file.read_bytes()[:-9] + b"tampered!")
    damaged = document("archive", "show", ended[0], "--from", str(tmp_path / "files"), code=1)["error"]
    assert damaged["code"] == "archive_damaged"
    absent = document("archive", "show", ended[0], "--from", str(tmp_path), code=1)["error"]
    assert absent["code"] == "not_found"


def test_a_manifest_names_each_execution(document: Run, ended: list[str], tmp_path: Path) -> None:
    document("archive", *before_now(document), "--to", str(tmp_path / "files"), "--yes")
    manifests = [json.loads(file.read_bytes()) for file in (tmp_path / "files").glob("*.manifest.json")]
    roots = {each["root_id"] for manifest in manifests for each in manifest["executions"]}
    assert roots == set(ended)
    assert sum(each["events"] for manifest in manifests for each in manifest["executions"]) == sum(
        manifest["events"] for manifest in manifests
    )


def test_wrong_usage_is_refused(document: Run, procession: Run, hello: Path, tmp_path: Path) -> None:
    assert procession("archive").exit_code == 2
    assert procession("archive", "--ended-before", "yesterday", "--to", str(tmp_path)).exit_code == 2
    refused = document("archive", *AFTER, "--to", str(tmp_path / "files"), "--yes", code=1)["error"]
    assert refused["code"] == "time_to_come"
    assert procession("archive", "show", "nothing").exit_code == 2
