"""A small installation on a real database: agents, processes, workers started by hand."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

import pytest

from app.clock import SYSTEM_CLOCK
from app.wiring import Wiring
from commands.agents import RegisterAgent
from commands.executions import CancelExecution, StartExecution
from commands.plans import Plans
from commands.processes import DraftProcess, PublishProcess
from domain.agents.kinds import parse_agent
from domain.event import Cause
from domain.executions.events.step import StepSkipped
from domain.executions.state.model import Execution
from domain.identity import process_id
from domain.processes.plan import Limits
from gateway.channels import Channels
from projections import ALL
from projections.projection import Projection
from scheduler.projector import Projector
from scheduler.worker import Worker
from store.datastore import Datastore
from store.log import Log
from store.unit import Unit
from tests.waiting import until


class Installation(Wiring):
    """Commands and workers on one database."""

    def __init__(self, datastore: Datastore) -> None:
        super().__init__(datastore)
        self.workers: list[Worker] = []
        self.ending = ExitStack()

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

    def worker(
        self,
        lease: float = 1.0,
        max_open: int = 1000,
        channels: Channels | None = None,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        large_results: int | None = None,
    ) -> Worker:
        datastore = Datastore(self.datastore.dsn, pool_size=4)
        self.ending.callback(datastore.close)
        log = self.ending.enter_context(closing(Log(datastore)))
        worker = Worker(
            datastore,
            log,
            Plans(log, limits),
            clock=SYSTEM_CLOCK,
            callback_key=b"key",
            callback_base=None,
            max_open=max_open,
            lease=timedelta(seconds=lease),
            drain=timedelta(seconds=5),
            channels=channels,
            large_results=large_results,
        )
        worker.start()
        self.workers.append(worker)
        return worker

    def state(self, id: UUID) -> Execution:
        return self.executions.load(id)

    def statuses_of(self, ids: Sequence[UUID]) -> list[str]:
        return [self.state(id).status for id in ids]

    def ended(self, *ids: UUID) -> list[Execution]:
        self.until(lambda: all(self.state(id).ended_at for id in ids))
        return [self.state(id) for id in ids]

    until = staticmethod(until)

    def topics(self, id: UUID) -> Counter[str]:
        return Counter(type(event).__name__ for event in self.log.stream(id))

    def due(self) -> list[tuple[str, UUID | None]]:
        return [(row["step"], row["owner"]) for row in self.rows("select step, owner from due_steps order by step")]

    def rows(self, query: LiteralString, *parameters: object) -> list[dict[str, Any]]:
        """What the database says; a statement that answers nothing gives no rows."""
        with self.datastore.reading() as connection:
            cursor = connection.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    def left(self, *lists: str) -> int:
        """How much is left to do, in some of the lists or in all of them."""
        (row,) = self.rows(
            """select (select count(*) from due_steps) as due_steps, (select count(*) from due_timers) as due_timers,
            (select count(*) from outbox) as outbox, (select count(*) from admissions) as admissions"""
        )
        return sum(row[name] for name in lists or row)

    def count(self, topic: str) -> int:
        """How many such events there are, of whatever execution."""
        (row,) = self.rows("select count(*) as n from stored_events where topic = %s", topic)
        return int(row["n"])


@pytest.fixture
def installation(datastore: Datastore) -> Iterator[Installation]:
    made = Installation(datastore)
    yield made
    for worker in made.workers:
        worker.stop()
    made.ending.close()
    made.log.close()


@pytest.fixture
def limiting(installation: Installation) -> Installation:
    """An installation with an agent that answers at once, and one that takes a moment."""
    installation.agent("echo", script="echo")
    installation.agent("slow", script="slow", delay="20ms")
    return installation


@pytest.fixture
def projector(datastore: Datastore, log: Log) -> Iterator[Callable[..., Projector]]:
    """projector(projections): start one."""
    started: list[Projector] = []

    def start(projections: Sequence[Projection[Any]] = ALL) -> Projector:
        started.append(Projector(datastore, SYSTEM_CLOCK, projections))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        if one.alive:
            one.stop()


def append(log: Log) -> int:
    """Record an event; the position."""
    return log.append(skipped(1)[0])


def skipped(count: int) -> list[Unit]:
    """Return units of an event each, of a stream each."""
    event = StepSkipped(at=datetime(2026, 1, 1, tzinfo=UTC), actor="x", step="a", reason="condition_false")
    return [Unit(uuid4(), 0, [event]) for _ in range(count)]


@pytest.fixture(autouse=True)
def _records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripted agents may keep their records in the test's own directory."""
    monkeypatch.setenv("PROCESSION_RECORDS", str(tmp_path))


@pytest.fixture
def policed(read_tables: Datastore) -> Iterator[Any]:
    from tests.scheduler.policed import Policed

    made = Policed(read_tables)
    projector = Projector(read_tables, SYSTEM_CLOCK, ALL)
    projector.start()
    made.agent("writer", script="echo", cost={"amount": "0.02", "currency": "USD"})
    yield made
    for worker in made.workers:
        worker.stop()
    made.ending.close()
    projector.stop()
    made.log.close()
