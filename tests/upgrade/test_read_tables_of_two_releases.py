"""This release builds its read tables beside a running release before, which serves and projects its own meanwhile."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.clock import SYSTEM_CLOCK
from projections import ALL
from projections.execution_list import ExecutionList
from projections.rebuilding import build_and_switch
from projections.verifying import verify
from scheduler.projector import Projector
from store.datastore import Datastore
from store.migrating import migrate
from tests.database import cloned
from tests.waiting import until

PROCESSION = "from app.cli import main; main()"
HELLO = {
    "name": "hello",
    "steps": [{"id": "greet", "agent": "echo", "message": "Hello"}],
    "outputs": {"text": "{{ steps.greet.output }}"},
}


class Now(ExecutionList):
    """The list with another shape than the release before defines."""

    ddl = ExecutionList.ddl + "alter table execution_list add column now text;"


NOW = (Now(), *ALL[1:])


class ReleaseBefore:
    """The release before, in a process of its own: API, worker and projector."""

    def __init__(self, tree: Path, dsn: str, log: Path) -> None:
        self.log = log
        environment = {name: text for name, text in os.environ.items() if not name.startswith("PROCESSION_")}
        environment |= {"DATABASE_URL": dsn, "PYTHONPATH": str(tree)}
        with log.open("wb") as words:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROCESSION, "up", "--port", "0"],
                cwd=tree,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=words,
                text=True,
            )
        assert self.process.stdout is not None
        ready = self.process.stdout.readline()
        found = re.search(r"http://[0-9.]+:[0-9]+", ready)
        if found is None:
            self.process.kill()
            raise AssertionError(ready + self.log.read_text())
        self.client = httpx2.Client(base_url=found[0], timeout=30)

    def run_hello(self) -> str:
        """Start an execution, and return its id when the release before lists it as completed."""
        id = self.post("/api/processes/hello/executions", {})["execution_id"]
        until(lambda: self.get(f"/api/executions/{id}").get("status") == "completed")
        return str(id)

    def listed(self) -> dict[str, str]:
        """Status by execution, as the release before lists them."""
        return {item["execution_id"]: item["status"] for item in self.get("/api/executions")["items"]}

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code in (200, 404), answer.text
        return answer.json()

    def post(self, path: str, body: Any) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def stop(self) -> None:
        self.client.close()
        self.process.terminate()
        try:
            self.process.wait(60)
        finally:
            self.process.kill()


@pytest.fixture
def empty(server: str) -> Iterator[str]:
    """The address of an empty database."""
    with cloned(server) as made:
        yield made


@pytest.fixture
def before(release_before: Path, empty: str, tmp_path: Path) -> Iterator[ReleaseBefore]:
    """The release before at work on a database that it migrated, with a process to run."""
    running = ReleaseBefore(release_before, empty, tmp_path / "process.log")
    try:
        answer = running.client.put("/api/agents/echo", json={"kind": "scripted", "script": "echo"})
        assert answer.is_success, answer.text
        process = running.post("/api/processes", {"definition": HELLO})
        running.post(f"/api/processes/{process['process_id']}/publish", {})
        yield running
    finally:
        running.stop()


def test_the_release_before_serves_its_tables_until_this_one_has_built_its_own(
    before: ReleaseBefore, empty: str
) -> None:
    first = before.run_hello()
    until(lambda: before.listed() == {first: "completed"})
    migrate(empty)
    datastore = Datastore(empty)
    meanwhile: list[str] = []

    def work_goes_on(_done: int, _total: int) -> None:
        # Once, in the middle of the build.
        if not meanwhile:
            meanwhile.append(before.run_hello())
            until(lambda: before.listed() == {first: "completed", meanwhile[0]: "completed"})

    try:
        build_and_switch(datastore, NOW[0], work_goes_on)
        assert meanwhile
        assert verify(datastore, NOW[0], lambda _done, _total: None).differing == 0
        assert "execution_list was built as another release defines it" in before.log.read_text()

        # Its worker goes on, and so does its projector with all other read models; this one projects the list.
        projector = Projector(datastore, SYSTEM_CLOCK, NOW)
        projector.start()
        last = before.run_hello()
        until(lambda: before.listed().get(last) == "completed")
        projector.stop()
        assert verify(datastore, NOW[0], lambda _done, _total: None).differing == 0
        with datastore.reading() as connection:
            listed = connection.execute("select execution_id::text as id, now from execution_list").fetchall()
        assert {row["id"] for row in listed} == {first, meanwhile[0], last}
    finally:
        datastore.close()
