"""Memories as files: the lines of `/memory`, masked, whoever of several workers writes them, and each once."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from app.memory import memory_files
from domain.agents.calls import Completed, Failed, StepError
from scheduler.memory import MemoryFiles
from tests.api.conftest import Installation, Making, Shown

HELD = """
name: held
input: {ssn: {type: string, required: true, sensitive: true}}
steps:
  - id: work
    agent: writer
    message: "{{ input.ssn }}"
    retry: {max_attempts: 2, delay: 1h}
    roles: {informed: [archive, unregistered, team:desk], monitors: [watch]}
"""
ECHO = {"script": "echo"}
SMALL = 1_500


@pytest.fixture
def writing(installation: Installation, tmp_path: Path) -> Iterator[Callable[[], MemoryFiles]]:
    """Start a worker's part that writes memories."""
    started: list[MemoryFiles] = []

    def starting() -> MemoryFiles:
        made = memory_files(installation, tmp_path, SMALL)
        made.start()
        started.append(made)
        return made

    yield starting
    for each in started:
        each.stop()


def test_files_hold_the_lines_of_the_memory_masked_and_once_whoever_writes_them(
    client: TestClient,
    installation: Installation,
    root: Shown,
    key: Making,
    writing: Callable[[], MemoryFiles],
    tmp_path: Path,
) -> None:
    own = key("agent:archive", "viewer", name="a")
    client.headers.update(root)
    installation.publish(client, HELD, writer=ECHO, archive=ECHO, watch=ECHO)

    def work(answer: Completed | Failed) -> UUID:
        body = {"input": {"ssn": "secret-number"}}
        id = UUID(client.post("/api/processes/held/executions", json=body).json()["execution_id"])
        installation.answer(id, "work", answer)
        return id

    def lines(agent: str = "archive") -> list[str]:
        files = sorted((tmp_path / agent).glob("*.ndjson"))
        return [line for file in files for line in file.read_text().splitlines()]

    def memory(agent: str = "archive") -> list[str]:
        return client.get(f"/api/agents/{agent}/memory", headers=own if agent == "archive" else None).text.splitlines()

    for _ in range(2):
        work(Completed({"copied": "is secret-number"}))
    installation.project()
    first = writing()
    installation.until(lambda: len(lines()) == 2)
    second = writing()
    work(Completed("more"))
    installation.project()
    installation.until(lambda: len(lines()) == 3)
    first.stop()
    # A failure that a retry follows makes no entry.
    work(Failed(StepError("agent_unreachable", "no")))
    id = work(Failed(StepError("rejected", "no", permanent=True)))
    installation.project()
    installation.until(lambda: len(lines("watch")) == 1)
    assert [json.loads(each)["execution_id"] for each in lines("watch")] == [str(id)]
    work(Completed("last"))
    installation.project()
    installation.until(lambda: len(lines()) == 4)
    second.stop()
    assert lines() == memory()
    assert lines("watch") == memory("watch")
    assert "secret-number" not in "".join(lines())
    assert len(list((tmp_path / "archive").iterdir())) > 1
    # Neither teams nor agents that are not registered have a memory; a later registration brings it.
    assert {each.name for each in tmp_path.iterdir()} == {".lock", "archive", "watch"}
    assert client.put("/api/agents/unregistered", json={"kind": "scripted", **ECHO}).status_code == 200
    installation.project()
    writing()
    installation.until(lambda: len(lines("unregistered")) == 4)
    assert lines() == memory()


def test_a_memory_of_another_log_is_left_alone(
    client: TestClient, installation: Installation, writing: Callable[[], MemoryFiles], tmp_path: Path
) -> None:
    installation.publish(client, HELD, writer=ECHO, archive=ECHO, watch=ECHO)
    (tmp_path / "archive").mkdir()
    other = tmp_path / "archive" / f"{900_000:020}.ndjson"
    other.write_text('{"position": 900000}\n')
    body = {"input": {"ssn": "1"}}
    id = UUID(client.post("/api/processes/held/executions", json=body).json()["execution_id"])
    installation.answer(id, "work", Failed(StepError("rejected", "no", permanent=True)))
    id = UUID(client.post("/api/processes/held/executions", json=body).json()["execution_id"])
    installation.answer(id, "work", Completed("done"))
    installation.project()
    writing()
    installation.until(lambda: list((tmp_path / "watch").glob("*.ndjson")))
    assert other.read_text() == '{"position": 900000}\n'


def test_a_memory_notes_that_the_log_went_back_and_goes_on(
    client: TestClient, installation: Installation, writing: Callable[[], MemoryFiles], tmp_path: Path
) -> None:
    installation.publish(client, HELD, writer=ECHO, archive=ECHO, watch=ECHO)

    def work() -> None:
        body = {"input": {"ssn": "1"}}
        id = UUID(client.post("/api/processes/held/executions", json=body).json()["execution_id"])
        installation.answer(id, "work", Completed("done"))
        installation.project()

    def lines() -> list[dict[str, object]]:
        files = sorted((tmp_path / "archive").glob("*.ndjson"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    work()
    first = writing()
    installation.until(lambda: len(lines()) == 1)
    first.stop()
    kept = int(str(lines()[0]["position"]))
    with installation.datastore.reading() as connection:
        connection.execute("update log_epochs set number = 2, begins_at = %s", (kept,))
        connection.execute(
            "insert into log_epochs (number, epoch_id, system_identifier, timeline, begins_at)"
            " values (1, '0123456789ab', 'before', 1, 0)"
        )
    installation.datastore.connect().close()
    file = next((tmp_path / "archive").glob("*.ndjson"))
    lost = {"position": kept + 2, "event_id": "0192f0c1-0000-7000-8000-000000000000:3"}
    with file.open("a") as opened:
        opened.write(json.dumps(lost) + "\n")
    work()
    writing()
    installation.until(lambda: len(lines()) == 4)
    epoch = installation.datastore.epochs.current
    assert epoch is not None
    assert lines()[1:3] == [lost, {"type": "LogWentBack", "position": kept, "epoch": epoch.epoch_id}]
    assert int(str(lines()[3]["position"])) > kept


def test_a_memory_that_cannot_be_written_or_read_stops_no_other(
    client: TestClient, installation: Installation, writing: Callable[[], MemoryFiles], tmp_path: Path
) -> None:
    installation.publish(client, HELD, writer=ECHO, archive=ECHO, watch=ECHO)
    # The folder of the first agent, by name, is a file.
    (tmp_path / "archive").write_text("in the way")
    body = {"input": {"ssn": "1"}}
    for answer in (Completed("done"), Failed(StepError("rejected", "no", permanent=True))):
        id = UUID(client.post("/api/processes/held/executions", json=body).json()["execution_id"])
        installation.answer(id, "work", answer)
    installation.project()
    writing()
    installation.until(lambda: list((tmp_path / "watch").glob("*.ndjson")))
    assert (tmp_path / "archive").read_text() == "in the way"
