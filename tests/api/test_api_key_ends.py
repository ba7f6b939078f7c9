"""A key that ends admits nobody, in every process, and ends the streams of its holder."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from starlette.testclient import TestClient

from app.serving import ApiServer
from commands.keys import FRESH_FOR_SECONDS
from edge.sessions import COOKIE, LONGEST, begin
from tests.api.conftest import Installation, Making, Shown, serve
from tests.api.test_api_stream import Stream

NOTICED_WITHIN_SECONDS = 5


@contextmanager
def listening(server: ApiServer, headers: Shown) -> Iterator[Stream]:
    with (
        httpx2.Client(base_url=server.url, timeout=120, headers=headers) as reader,
        reader.stream("GET", "/api/stream") as answer,
    ):
        assert answer.status_code == 200, answer.read()
        yield Stream(answer)


def ended(stream: Stream) -> None:
    """Read on until the server ends the stream."""
    with pytest.raises(EOFError):
        while True:
            stream.next()


def revoke(client: TestClient, installation: Installation, root: Shown, name: str) -> None:
    installation.project()
    id = next(each["key_id"] for each in client.get("/api/keys", headers=root).json()["items"] if each["name"] == name)
    answer = client.request("DELETE", f"/api/keys/{id}", json={"reason": "lost"}, headers=root)
    assert answer.status_code == 200, answer.text


def test_a_revoked_key_admits_nobody_in_any_process(
    client: TestClient, installation: Installation, root: Shown, key: Making
) -> None:
    viewer = key("viewer", name="see")
    with TestClient(installation.app) as other, TestClient(installation.app) as third:
        for process in (other, third):
            assert process.get("/api/executions", headers=viewer).status_code == 200
        revoke(client, installation, root, "see")
        for process in (client, other, third):
            installation.until(
                lambda process=process: process.get("/api/executions", headers=viewer).status_code == 401  # type: ignore[misc]
            )
    # Each request reads the keys first if they are older than this.
    assert FRESH_FOR_SECONDS < NOTICED_WITHIN_SECONDS


def test_a_revocation_ends_the_streams_of_the_key(
    client: TestClient, installation: Installation, root: Shown, key: Making
) -> None:
    viewer = key("viewer", name="see")
    server = serve(installation.app)
    with listening(server, viewer) as stream:
        stream.next()
        revoke(client, installation, root, "see")
        ended(stream)
    server.stop()


def test_a_stream_without_a_key_ends_with_the_first_key(client: TestClient, installation: Installation) -> None:
    server = serve(installation.app)
    local = {"Host": "testserver"}
    with listening(server, local) as stream:
        stream.next()
        assert client.post("/api/keys", json={"name": "root", "scopes": ["admin"]}).status_code == 201
        ended(stream)
    server.stop()


def test_a_stream_ends_with_its_session(client: TestClient, installation: Installation, root: Shown) -> None:
    class Turned:
        """A clock that a test turns on."""

        by = timedelta()

        def now(self) -> datetime:
            return datetime.now(UTC) + self.by

        def monotonic(self) -> float:
            return self.now().timestamp()

    clock, app = Turned(), installation.app
    app.state.door = door = dataclasses.replace(app.state.door, clock=clock)
    [key_id] = installation.keys.ring().keys
    cookie = door.sessions.write(begin(str(key_id), clock.now()))
    server = serve(app)
    with listening(server, {"Cookie": f"{COOKIE}={cookie}"}) as stream:
        stream.next()
        clock.by = LONGEST
        ended(stream)
    server.stop()
