"""Server-sent events, over a real server: what is told, resuming, and a clean end."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from app.serving import ApiServer
from tests.api.conftest import serve


@pytest.fixture
def served(installation: Any) -> Iterator[ApiServer]:
    made = serve(installation.app)
    yield made
    made.stop()


class Stream:
    """One open stream, read event by event."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def next(self) -> dict[str, Any]:
        """The next event: its event, id and data."""
        found: dict[str, Any] = {}
        for line in self._lines:
            if not line and found:
                return found
            name, separator, value = line.partition(": ")
            if separator and name:
                found[name] = json.loads(value) if name == "data" else value
        raise EOFError


def present(installation: Any) -> str:
    """The id of the present epoch of the log."""
    epoch = installation.datastore.epochs.current
    assert epoch is not None
    id: str = epoch.epoch_id
    return id


@pytest.fixture
def listen(served: ApiServer) -> Iterator[Callable[..., Stream]]:
    opened: list[Any] = []
    client = httpx2.Client(base_url=served.url, timeout=60)

    def listening(query: str = "", last: str | None = None) -> Stream:
        headers = {} if last is None else {"Last-Event-ID": last}
        context = client.stream("GET", f"/api/stream{query}", headers=headers)
        response = context.__enter__()
        opened.append(context)
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        return Stream(response)

    yield listening
    for context in opened:
        context.__exit__(None, None, None)
    client.close()


@pytest.fixture
def client(installation: Any) -> Iterator[TestClient]:
    """Commands go through an application of their own, as from another process."""
    with TestClient(installation.app) as other:
        yield other


def test_a_stream_tells_every_position_that_read_models_reach(
    listen: Callable[..., Stream], installation: Any, start: Any
) -> None:
    epoch = present(installation)
    first, second = listen(), listen()
    told = first.next()
    assert (told["event"], told["id"], told["data"]) == ("position", f"{epoch}.7", {"position": 7, "epoch": epoch})
    assert second.next() == told
    start()
    position = installation.project()
    for stream in (first, second):
        assert stream.next()["data"] == {"position": position, "epoch": epoch}


def test_a_stream_goes_on_after_the_last_position_told(
    listen: Callable[..., Stream], installation: Any, start: Any
) -> None:
    epoch = present(installation)
    resumed, of_before = listen(last=f"{epoch}.7"), listen(last="7")  # the release before sent no epoch
    start()
    position = installation.project()
    for stream in (resumed, of_before, listen(last="6")):
        assert stream.next()["data"] == {"position": position, "epoch": epoch}


@pytest.mark.parametrize("last", ["0123456789ab.7", "0123456789ab.3"])
def test_a_stream_of_another_epoch_begins_with_the_present_position(
    listen: Callable[..., Stream], installation: Any, start: Any, last: str
) -> None:
    id, epoch = start(), present(installation)
    position = installation.project()
    assert listen(last=last).next() == {
        "event": "position",
        "id": f"{epoch}.{position}",
        "data": {"position": position, "epoch": epoch},
    }
    stream = listen(f"?execution={id}", last=last)
    assert stream.next() == {
        "event": "position",
        "id": f"{epoch}.2",
        "data": {"position": position, "epoch": epoch},
    }


def test_the_stream_of_an_execution_tells_each_event_once(
    listen: Callable[..., Stream], installation: Any, start: Any
) -> None:
    id = start()
    stream = listen(f"?execution={id}")
    told = [stream.next(), stream.next()]
    assert [each["data"]["type"] for each in told] == ["ExecutionStarted", "StepScheduled"]
    installation.answer(id, "greet")
    installation.project()
    while told[-1]["data"]["version"] < 5:
        told.append(stream.next())
    epoch = present(installation)
    assert [each["id"] for each in told] == [f"{epoch}.{n}" for n in range(1, 6)]
    assert told[-1]["event"] == "event"
    resumed = listen(f"?execution={id}", last=f"{epoch}.3")
    assert resumed.next() == told[3]


def truncated(installation: Any, position: int) -> None:
    """A log that was restored from a backup which ends at `position`."""
    with installation.datastore.reading() as connection:
        connection.execute("delete from stored_events where notification_id > %s", (position,))
        connection.execute("update notification_tracking set notification_id = %s", (position,))


@pytest.mark.parametrize("last", ["100", "999999999999999999"])
def test_a_stream_that_would_go_on_behind_the_end_of_the_log_begins_with_the_present_position(
    listen: Callable[..., Stream], installation: Any, start: Any, last: str
) -> None:
    id = start()
    position, epoch = installation.project(), present(installation)
    at = {"position": position, "epoch": epoch}
    told = listen(last=last).next()
    assert (told["event"], told["id"], told["data"]) == ("position", f"{epoch}.{position}", at)
    stream = listen(f"?execution={id}", last=last)
    told = stream.next()
    assert (told["event"], told["id"], told["data"]) == ("position", f"{epoch}.2", at)
    installation.answer(id, "greet")
    assert [stream.next()["id"] for _ in range(2)] == [f"{epoch}.3", f"{epoch}.4"]


def test_a_stream_notices_that_the_log_was_restored(
    listen: Callable[..., Stream], installation: Any, start: Any
) -> None:
    id = start()
    before = installation.project()
    installation.answer(id, "greet")
    installation.project()
    positions, events = listen(), listen(f"?execution={id}")
    positions.next()
    epoch = present(installation)
    assert [events.next()["id"] for _ in range(5)] == [f"{epoch}.{n}" for n in range(1, 6)]
    truncated(installation, before)
    at = {"position": before, "epoch": epoch}
    assert positions.next()["data"] == at
    told = events.next()
    assert (told["event"], told["id"], told["data"]) == ("position", f"{epoch}.2", at)


def test_streams_end_when_the_server_does(served: ApiServer, listen: Callable[..., Stream], greeting: str) -> None:
    stream = listen()
    stream.next()
    served.stop()
    with pytest.raises(EOFError):
        stream.next()


def test_what_cannot_be_listened_to_is_refused_before_the_stream_begins(shared_client: TestClient) -> None:
    assert shared_client.get("/api/stream?execution=nothing").status_code == 404
    assert shared_client.get("/api/stream?execution=0192f0c1-0000-7000-8000-000000000000").status_code == 404
    for last in ("x", "-1", "9" * 19, "9" * 30, "1.5", "0x1", "", "\xb2"):
        answer = shared_client.get("/api/stream", headers={"Last-Event-ID": last.encode("latin-1")})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_header")
