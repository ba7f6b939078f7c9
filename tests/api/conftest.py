"""An API on a database of its own, with read models that are brought up to date when a test says so."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from app.clock import SYSTEM_CLOCK
from app.connections import ConnectionLimits
from app.serving import ApiServer
from app.sockets import listen
from app.wiring import Wiring
from commands.executions import AnswerStep, unit_of
from commands.plans import Plans
from domain.agents.calls import Answer, Completed
from domain.agents.policy import OutgoingPolicy
from domain.agents.secret_names import read_secret_names
from domain.event import Cause
from domain.executions.decisions.step import start_step
from edge.hosts import Hosts
from projections.running import Runner
from projections.tables import create_read_tables
from queries.reading import WAIT_SECONDS
from scheduler.worker import Worker
from store.datastore import Datastore
from store.log import Log
from tests.api.inbox_receiver import add, bells, receiver  # noqa: F401 - fixtures
from tests.database import cloned
from tests.waiting import until
from web.app import PagesBeside, create_pages

CALLBACK_KEY = b"callback key of tests"
GREETING = """
name: greeting
description: Greets.
labels: [demo]
owner: ann
input:
  name: {type: string, required: true}
steps:
  - {id: greet, agent: writer, message: "Hello {{ input.name }}"}
  - {id: check, agent: writer, message: "Check {{ steps.greet.output }}", depends_on: greet}
outputs:
  text: "{{ steps.check.output }}"
"""


class Installation(Wiring):
    """The wiring behind the API, and the work of projector and worker done by hand."""

    def __init__(self, datastore: Datastore, api_key: str | None = None) -> None:
        policy = OutgoingPolicy(read_secret_names("ORDERS_SECRET"))
        super().__init__(datastore, policy=policy, configured_key=api_key is not None)
        self.wait_seconds = WAIT_SECONDS
        self.runner = Runner(datastore)
        self._api_key = api_key
        self.hosts = Hosts(frozenset({"testserver"}))

    def callback_key(self) -> bytes:
        return CALLBACK_KEY

    @property
    def app(self) -> FastAPI:
        """Another application on it, as another process would have."""
        door = self.door(api_key=self._api_key, hosts=self.hosts)
        reading = self.new_reading(self.wait_seconds)
        return create_app(dataclasses.replace(door, reading=reading, stream_check_seconds=0.2))

    def project(self) -> int:
        """Bring every read model up to the end of the log; the position reached."""
        self.runner.refresh()
        while self.runner.advance():
            pass
        return self.log.last_position()

    def take(self, execution_id: UUID, step: str, attempt: int = 1) -> None:
        """A worker takes an attempt."""
        execution = self.executions.load(execution_id)
        unfolding = start_step(execution, step, attempt, cause())
        self.log.append(unit_of(execution, unfolding))

    def answer(self, execution_id: UUID, step: str, answer: Answer | None = None) -> None:
        """A worker takes an attempt, and records the agent's answer."""
        self.take(execution_id, step)
        given = answer if answer is not None else Completed(f"output of {step}")
        self.executions.answer(AnswerStep(execution_id, step, 1, given), cause())

    def publish(self, client: TestClient, source: str, **agents: Any) -> str:
        """Register scripted agents, and publish a process; its id."""
        for agent, config in agents.items():
            assert client.put(f"/api/agents/{agent}", json={"kind": "scripted", **config}).status_code == 200
        drafted = client.post("/api/processes", content=source, headers={"Content-Type": "application/yaml"})
        assert drafted.status_code == 201, drafted.text
        id = str(drafted.json()["process_id"])
        published = client.post(f"/api/processes/{id}/publish")
        assert published.status_code == 200, published.text
        return id

    def begin(self, client: TestClient, process: str) -> UUID:
        """Start an execution without input."""
        answer = client.post(f"/api/processes/{process}/executions", json={})
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["execution_id"])

    def due_timers(self) -> dict[tuple[str, str], datetime]:
        """The clock's to-do list: when each timer of a step is due."""
        with self.datastore.reading() as connection:
            rows = connection.execute("select step, kind, due_at from due_timers").fetchall()
        return {(row["step"], row["kind"]): row["due_at"] for row in rows}

    def types(self, execution_id: UUID) -> list[str]:
        """The types of the execution's events."""
        return [type(event).__name__ for event in self.log.stream(execution_id)]

    until = staticmethod(until)

    def events(self) -> int:
        """How many events the log holds."""
        with self.datastore.reading() as connection:
            row = connection.execute("select count(*) as n from stored_events").fetchone()
        assert row is not None
        return int(row["n"])


def cause() -> Cause:
    return Cause(datetime.now(UTC), "worker:test")


@contextmanager
def installed(datastore: Datastore, api_key: str | None = None) -> Iterator[Installation]:
    made = Installation(datastore, api_key)
    with datastore.reading() as connection:
        create_read_tables(connection)
    yield made
    made.runner.close()
    made.log.close()


@pytest.fixture
def installation(read_tables: Datastore) -> Iterator[Installation]:
    with installed(read_tables) as made:
        yield made


@pytest.fixture
def keyed(read_tables: Datastore) -> Iterator[Callable[[str], Installation]]:
    """Makes an installation that asks for an API key."""
    with ExitStack() as ending:
        yield lambda key: ending.enter_context(installed(read_tables, key))


@pytest.fixture
def client(installation: Installation) -> Iterator[TestClient]:
    with TestClient(installation.app) as client:
        yield client


def serve(app: FastAPI) -> ApiServer:
    """Return a real server with the door of an application, started; for answers that stay open."""
    server = ApiServer(app.state.door, listen("127.0.0.1", 0), lambda: None, ConnectionLimits())
    server.start()
    return server


@contextmanager
def browsing(installation: Installation) -> Iterator[TestClient]:
    """Yield a client of the pages and the API. Entered, it has one event loop for all requests, not one for each."""
    pages = create_pages(installation.door(api_key=None, hosts=installation.hosts), dict)
    with TestClient(PagesBeside(installation.app, pages)) as browser:
        yield browser


@pytest.fixture
def worker(installation: Installation) -> Iterator[Worker]:
    """A worker at work, as another process would have it."""
    with working(installation) as at_work:
        yield at_work


@contextmanager
def working(installation: Installation) -> Iterator[Worker]:
    """A worker at work, as another process would have it, until the end of the block."""
    datastore = Datastore(installation.datastore.dsn, pool_size=4)
    log = Log(datastore)
    ten_seconds = timedelta(seconds=10)
    at_work = Worker(
        datastore,
        log,
        Plans(log),
        clock=SYSTEM_CLOCK,
        callback_key=CALLBACK_KEY,
        callback_base=None,
        max_open=100,
        lease=ten_seconds,
        drain=ten_seconds,
    )
    at_work.start()
    try:
        yield at_work
    finally:
        at_work.stop()
        log.close()
        datastore.close()


@pytest.fixture
def greeting(client: TestClient, installation: Installation) -> str:
    """The id of a published process with two steps, one after the other."""
    return publish_greeting(client, installation)


def publish_greeting(client: TestClient, installation: Installation) -> str:
    id = installation.publish(client, GREETING, writer={"script": "echo"})
    installation.project()
    return id


@pytest.fixture(scope="module")
def shared(server: str, template: str) -> Iterator[Installation]:
    """For tables of requests that are refused: an installation shared by a module, with the greeting published."""
    with cloned(server, template) as dsn:
        datastore = Datastore(dsn)
        with installed(datastore) as made:
            yield made
        datastore.close()


@pytest.fixture(scope="module")
def shared_client(shared: Installation) -> Iterator[TestClient]:
    with TestClient(shared.app) as client:
        publish_greeting(client, shared)
        yield client


@pytest.fixture
def start(client: TestClient, greeting: str) -> Callable[..., UUID]:
    """Start an execution of the greeting."""

    def starting(**input: Any) -> UUID:
        answer = client.post(f"/api/processes/{greeting}/executions", json={"input": input or {"name": "Ann"}})
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["execution_id"])

    return starting


@pytest.fixture
def problem_codes() -> Callable[[Any], list[str]]:
    """The codes of all problems in a problem document, its own first; checks that it is one."""

    def codes(answer: Any) -> list[str]:
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        document = msgspec.json.decode(answer.content)
        assert {"type", "title", "status", "detail", "code", "problems"} <= document.keys()
        assert document["status"] == answer.status_code
        return [document["code"], *(problem["code"] for problem in document["problems"])]

    return codes


Shown = dict[str, str]
"""The headers by which a caller shows its key."""
Making = Callable[..., Shown]


def bearer(key: str) -> Shown:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def root(client: TestClient) -> Shown:
    """The headers of the first key."""
    answer = client.post("/api/keys", json={"name": "root", "scopes": ["admin"]})
    assert answer.status_code == 201, answer.text
    return bearer(answer.json()["key"])


@pytest.fixture
def key(client: TestClient, installation: Installation, root: Shown) -> Making:
    """Make a key; return the headers of its holder."""

    def make(*scopes: str, name: str = "ann", **more: Any) -> Shown:
        answer = client.post("/api/keys", json={"name": name, "scopes": scopes, **more}, headers=root)
        assert answer.status_code == 201, answer.text
        shown = bearer(answer.json()["key"])
        installation.until(lambda: client.get("/api/processes", headers=shown).status_code != 401)
        return shown

    return make
