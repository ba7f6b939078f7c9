"""A small installation on a real database: agents, processes, workers started by hand."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from commands.agents import Agents, RegisterAgent
from commands.executions import CancelExecution, Executions, StartExecution
from commands.plans import Plans
from commands.processes import DraftProcess, Processes, PublishProcess
from domain.agents.kinds import parse_agent
from domain.event import Cause
from domain.executions.execution import Execution
from domain.identity import process_id
from scheduler.worker import Worker
from store.datastore import Datastore
from store.log import Log


class Installation:
    """Commands and workers on one database."""

    def __init__(self, datastore: Datastore) -> None:
        self.datastore = datastore
        self.log = Log(datastore)
        self.plans = Plans(self.log)
        self.agents = Agents(self.log)
        self.processes = Processes(self.log, self.agents)
        self.executions = Executions(self.log, self.plans)
        self.workers: list[Worker] = []

    @property
    def cause(self) -> Cause:
        return Cause(datetime.now(UTC), "user:test")

    def agent(self, name: str, **config: Any) -> None:
        self.agents.register(RegisterAgent(name, parse_agent(name, {"kind": "scripted", **config})), self.cause)

    def publish(self, source: str) -> UUID:
        receipt = self.processes.draft(DraftProcess(source), self.cause)
        self.processes.publish(PublishProcess(receipt.stream), self.cause)
        return receipt.stream

    def start(self, name: str, **input: Any) -> UUID:
        return self.executions.start(StartExecution(process_id(name), input), self.cause).stream

    def cancel(self, id: UUID) -> None:
        self.executions.cancel(CancelExecution(id, "test"), self.cause)

    def worker(self, lease: float = 1.0, max_open: int = 1000) -> Worker:
        datastore = Datastore(self.datastore.dsn, pool_size=4)
        log = Log(datastore)
        worker = Worker(
            datastore,
            log,
            Plans(log),
            callback_key=b"key",
            callback_base=None,
            max_open=max_open,
            lease=timedelta(seconds=lease),
            drain=timedelta(seconds=5),
        )
        worker.start()
        self.workers.append(worker)
        return worker

    def state(self, id: UUID) -> Execution:
        return self.executions.load(id)

    def ended(self, *ids: UUID) -> list[Execution]:
        self.until(lambda: all(self.state(id).ended_at for id in ids))
        return [self.state(id) for id in ids]

    def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Wait on a fact, with a deadline."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"

    def topics(self, id: UUID) -> Counter[str]:
        return Counter(type(event).__name__ for event in self.log.stream(id))

    def due(self) -> list[tuple[str, UUID | None]]:
        with self.datastore.reading() as connection:
            rows = connection.execute("select step, owner from due_steps order by step").fetchall()
        return [(row["step"], row["owner"]) for row in rows]


@pytest.fixture
def installation(datastore: Datastore) -> Iterator[Installation]:
    made = Installation(datastore)
    yield made
    for worker in made.workers:
        worker.stop()
    made.log.close()


@pytest.fixture(autouse=True)
def _records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripted agents may keep their records in the test's own directory."""
    monkeypatch.setenv("PROCESSION_RECORDS", str(tmp_path))
