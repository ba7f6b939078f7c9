"""A gateway, the server its agents live on, whose answers each test decides, and a place where answers arrive."""

import queue
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.clock import SYSTEM_CLOCK
from domain.agents.calls import AgentCall, Answer
from domain.agents.kinds import parse_agent
from domain.agents.policy import OutgoingPolicy
from domain.agents.secret_names import read_secret_names
from gateway.gateway import AgentGateway
from tests.loopback import LoopbackServer, response

EXECUTION = UUID("01890000-0000-7000-8000-000000000001")


class Deliveries:
    """Collects what the gateway delivers, and on which thread."""

    def __init__(self) -> None:
        self.threads: list[str] = []
        self._answers: queue.Queue[tuple[AgentCall, Answer]] = queue.Queue()

    def __call__(self, call: AgentCall, answer: Answer) -> None:
        self.threads.append(threading.current_thread().name)
        self._answers.put((call, answer))

    def next(self) -> Answer:
        return self.next_pair()[1]

    def next_pair(self) -> tuple[AgentCall, Answer]:
        return self._answers.get(timeout=120)

    def empty(self) -> bool:
        return self._answers.empty()


def call(message: Any = "hello there", **facts: Any) -> AgentCall:
    """A call of step ``write``, attempt 1, unless `facts` say otherwise."""
    known = {
        "execution_id": EXECUTION,
        "step": "write",
        "attempt": 1,
        "agent": "writer",
        "process": "letters",
        "version": 3,
        "message": message,
        "callback_token": "token-of-this-attempt",
    }
    return AgentCall(**(known | facts))


class Rig:
    """A gateway, the server its agents live on, and the deliveries."""

    def __init__(self, server: LoopbackServer, gateway: AgentGateway) -> None:
        self.server = server
        self.gateway = gateway
        self.deliveries = Deliveries()
        self.call = call
        self.response = response
        self.execution_id = EXECUTION

    def config(self, **config: Any) -> dict[str, Any]:
        return parse_agent("writer", config)

    def http(self, **config: Any) -> dict[str, Any]:
        return self.config(kind="http", url=f"{self.server.url}/run", **config)

    def chat(self, **config: Any) -> dict[str, Any]:
        return self.config(kind="openai_chat", base_url=f"{self.server.url}/v1", **({"model": "m-1"} | config))

    def ask(self, config: dict[str, Any], asked: AgentCall | None = None) -> Answer:
        self.gateway.begin(asked or call(), config, self.deliveries)
        return self.deliveries.next()


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    server = LoopbackServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def rig(server: LoopbackServer) -> Iterator[Rig]:
    allowed = OutgoingPolicy(read_secret_names("WRITER_KEY,WRITERS_*,NOT_SET_*"))
    gateway = AgentGateway(clock=SYSTEM_CLOCK, callback_base="https://flow.example/", policy=allowed)
    yield Rig(server, gateway)
    gateway.close(grace=timedelta())


@pytest.fixture(autouse=True)
def _records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripted agents may keep their records in the test's own directory."""
    monkeypatch.setenv("PROCESSION_RECORDS", str(tmp_path))
