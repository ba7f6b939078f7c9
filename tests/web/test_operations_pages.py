"""The operator's pages, without a browser: what they show, and what their forms do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import GREETING, Installation
from web.app import create_pages

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}\u202e\"'"
PAUSING = """
name: pausing
steps:
  - {id: pause, type: timer, duration: 1h}
  - {id: limited, agent: writer, message: go, timeout: 2h}
"""
PATHS = (
    "/operations",
    "/operations/timers",
    "/operations/batches",
    "/operations/batches/new?status=failed",
    "/operations/set-aside",
    "/operations/dead-letters",
    "/operations/workers",
    "/operations/sizes",
    "/operations/settings",
)


@pytest.fixture
def paused(installation: Installation, client: TestClient) -> UUID:
    """An execution with a timer that is due in an hour, and a step that is due."""
    installation.publish(client, PAUSING, writer={"script": "echo"})
    id = installation.begin(client, "pausing")
    installation.project()
    return id


Set = Callable[..., None]


@pytest.fixture
def execute(installation: Installation) -> Set:
    """Run a statement on the database of the installation."""

    def run(statement: str, *values: Any) -> None:
        with installation.datastore.reading() as connection:
            connection.execute(statement, values)  # type: ignore[arg-type]

    return run


@pytest.mark.parametrize("path", PATHS)
def test_every_page_of_an_empty_installation_says_what_would_be_there(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert "style=" not in answer.text
    assert "<script>" not in answer.text
    assert 'href="/operations"' in answer.text


def test_the_overview_shows_read_models_with_position_and_state(
    installation: Installation, client: TestClient, paused: UUID
) -> None:
    page = client.get("/operations").text
    assert "execution_list" in page
    assert "Up to date" in page
    assert f"{installation.log.last_position():,}" in page
    assert "No worker runs" in page


def test_timers_are_listed_and_filtered(client: TestClient, paused: UUID, execute: Set) -> None:
    listed = client.get("/operations/timers").text
    assert f"/operations/timers/{paused}/pause/timer" in listed
    assert "Wait of the process" in listed
    for query in ("due=pending", "kind=timer", "process=pausing", "due=pending&kind=timer&process=pausing"):
        assert f"/operations/timers/{paused}/pause/timer" in client.get(f"/operations/timers?{query}").text, query
    for query in ("due=overdue", "kind=deadline", "process=other"):
        assert "No timer matches" in client.get(f"/operations/timers?{query}").text, query
    execute("update due_timers set due_at = now() - interval '2 minutes'")
    assert "overdue" in client.get("/operations/timers?due=overdue").text
    assert "No timer matches" in client.get("/operations/timers?due=pending").text


def test_timers_come_in_pages(installation: Installation, client: TestClient, paused: UUID, execute: Set) -> None:
    execute(
        """insert into due_timers (execution_id, step, kind, due_at)
        select %s, 'extra' || n, 'timer', now() + interval '1 day' from generate_series(1, 60) n""",
        paused,
    )
    first = client.get("/operations/timers").text
    assert "50 shown" in first
    following = first.split('href="/operations/timers?cursor=')[1].split('"')[0]
    second = client.get(f"/operations/timers?cursor={following}").text
    assert "11 shown" in second
    assert client.get("/operations/timers?cursor=nonsense").status_code == 400


def test_a_person_moves_a_timer_in_their_zone(installation: Installation, client: TestClient, paused: UUID) -> None:
    client.cookies.set("procession-zone", "Asia/Kolkata")
    address = f"/operations/timers/{paused}/pause/timer"
    assert "in Asia/Kolkata" in client.get(address).text
    wanted = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    local = (wanted + timedelta(hours=5, minutes=30)).strftime("%Y-%m-%dT%H:%M:%S")
    answer = client.post(f"{address}/move", data={"due_at": local, "reason": "later"})
    assert answer.status_code == 303, answer.text
    assert installation.due_timers()["pause", "timer"] == wanted
    installation.project()
    assert "The timer is due at another time." in client.get(answer.headers["location"]).text
    assert client.post(f"{address}/move", data={"due_at": "soon", "reason": "x"}).status_code == 422
    assert client.post(f"{address}/move", data={"due_at": "9999-12-31T23:59:59", "reason": "x"}).status_code == 409
    assert client.post(f"{address}/move", data={"due_at": local, "reason": " "}).status_code == 422


def test_a_person_fires_a_timer(installation: Installation, client: TestClient, paused: UUID) -> None:
    address = f"/operations/timers/{paused}/pause/timer"
    assert "the steps that depend on it begin" in client.get(address).text
    answer = client.post(f"{address}/fire", data={"reason": "no need to wait"})
    assert answer.status_code == 303, answer.text
    assert "TimerFired" in installation.types(paused)
    installation.project()
    assert "The timer has fired." in client.get(answer.headers["location"]).text
    assert client.get(address).status_code == 404
    assert client.post(f"{address}/fire", data={"reason": "again"}).status_code == 404
    assert client.get(f"/operations/timers/{paused}/pause/nonsense").status_code == 404
    assert client.get("/operations/timers/x/pause/timer").status_code == 404


def test_a_person_decides_about_an_execution_that_is_set_aside(
    installation: Installation, client: TestClient, paused: UUID, execute: Set
) -> None:
    address = f"/operations/set-aside/{paused}"
    assert client.get(address).status_code == 404
    execute("select set_aside_v1(%s, %s, %s, '{}')", paused, f"KeyError: {HOSTILE}", uuid4())
    for path in ("/operations", "/operations/set-aside", address):
        page = client.get(path).text
        assert "KeyError" in page, path
        assert "<script>" not in page
        assert "<img" not in page
    again = client.post(f"{address}/retry", data={"reason": "mended"})
    assert again.status_code == 303, again.text
    assert client.post(f"{address}/cancel", data={"reason": ""}).status_code == 422
    cancelled = client.post(f"{address}/cancel", data={"reason": "not needed"})
    assert cancelled.status_code == 303, cancelled.text
    assert "ExecutionCancelled" in installation.types(paused)
    assert "Nothing is set aside" in client.get("/operations/set-aside").text


def test_dead_letters_are_listed(client: TestClient, paused: UUID, execute: Set) -> None:
    execute("insert into dead_letters (projection, position, error) values ('approvals', 1, %s)", HOSTILE)
    execute("insert into dead_letters (projection, position, error) values ('key_list:building', 2, 'odd')")
    page = client.get("/operations/dead-letters").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>" not in page
    assert "tables not in use (building)" in page
    needed = client.get("/").text
    assert 'href="/operations/dead-letters/approvals/1"' in needed
    assert "key_list lacks event 2" in needed
    assert "<script>alert" not in needed
    only = client.get("/operations/dead-letters?projection=key_list").text
    assert "odd" in only
    assert "&lt;script&gt;" not in only
    assert "No dead letter" in client.get("/operations/dead-letters?projection=nothing").text


def test_workers_are_shown_with_what_they_hold(client: TestClient, paused: UUID, execute: Set) -> None:
    worker = uuid4()
    execute("insert into workers values (%s, %s, 7, now(), now() + interval '1 minute')", worker, f"host {HOSTILE}")
    execute("update due_steps set owner = %s", worker)
    page = client.get("/operations/workers").text
    assert str(worker) in page
    assert "1 attempt" in page
    assert "limited" in page
    assert "<img" not in page
    execute("update workers set lease_until = now() - interval '1 second'")
    assert "Lost" in client.get("/operations/workers").text


def test_sizes_are_estimates_of_the_catalogue(client: TestClient, paused: UUID, execute: Set) -> None:
    execute("analyze stored_events")
    page = client.get("/operations/sizes").text
    assert "stored_events" in page
    assert "about" in page


def test_settings_never_show_a_secret(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.settings import read_settings
    from app.settings_in_force import settings_in_force

    monkeypatch.setenv("PROCESSION_API_KEY", "a key that nobody may see".replace(" ", "-"))
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:hunter2@db/procession")
    monkeypatch.setenv("PROCESSION_LEASE", "90s")
    found = settings_in_force(read_settings())
    door = installation.door(hosts=installation.hosts, settings=found)
    with TestClient(create_pages(door, installation.app.openapi)) as opened:
        page = opened.get("/operations/settings").text
    assert "hunter2" not in page
    assert "nobody-may-see" not in page
    assert "1m30s" in page
    assert "not set" in page


def test_a_key_that_is_limited_to_processes_sees_its_timers_and_batches_alone(
    installation: Installation, client: TestClient, paused: UUID
) -> None:
    installation.publish(client, GREETING, writer={"script": "echo"})
    root = client.post("/api/keys", json={"name": "root", "scopes": ["admin"]}).json()["key"]
    admin = {"Authorization": f"Bearer {root}"}
    answer = client.post(
        "/api/keys", json={"name": "ann", "scopes": ["operator"], "processes": ["greeting"]}, headers=admin
    )
    limited = {"Authorization": f"Bearer {answer.json()['key']}"}
    installation.until(lambda: client.get("/operations/timers").status_code == 303)
    installation.until(lambda: client.get("/operations/timers", headers=limited).status_code == 200)
    page = client.get("/operations/timers", headers=limited).text
    assert str(paused) not in page
    assert 'href="/operations"' not in page
    assert client.get(f"/operations/timers/{paused}/pause/timer", headers=limited).status_code == 404
    for path in PATHS:
        if path.startswith("/operations/batches"):
            assert client.get(path, headers=limited).status_code == 200, path
        elif not path.endswith("timers"):
            assert client.get(path, headers=limited).status_code in (403, 404), path


def test_a_person_requests_a_rebuild_and_withdraws_it(client: TestClient, paused: UUID) -> None:
    address = "/operations/read-models/approvals"
    assert f'href="{address}?act=verify#h-acts"' in client.get("/operations").text
    assert client.get(f"{address}?act=verify").text.count('<details class="card" open>') == 1
    page = client.get(address).text
    assert '<details class="card" open>' not in page
    for words in (
        "Rebuild",
        "Build beside",
        "Switch over",
        "there is no way back to them",
        "No previous tables are kept",
    ):
        assert words in page
    assert client.post(f"{address}/rebuild", data={"reason": " "}).status_code == 422
    answer = client.post(f"{address}/rebuild", data={"reason": HOSTILE})
    assert answer.status_code == 303, answer.text
    page = client.get(answer.headers["location"]).text
    assert "The projector carries it out" in page
    assert "Requested" in page
    assert "<img" not in page
    assert 'data-every="1"' in page
    assert "rebuild requested" in client.get("/operations").text
    other = client.post(f"{address}/build", data={"reason": "x"})
    assert other.status_code == 409
    assert f'href="{address}"' in other.text
    assert client.post(f"{address}/withdraw", data={"reason": "enough"}).status_code == 303
    assert "Withdrawn" in client.get(address).text
    assert client.get("/operations/read-models/nothing").status_code == 404
    assert client.post(f"{address}/explode", data={"reason": "x"}).status_code in (400, 404)


def test_a_person_skips_a_dead_letter_or_tries_it_again(client: TestClient, paused: UUID, execute: Set) -> None:
    execute("insert into dead_letters (projection, position, error) values ('approvals', 1, %s)", HOSTILE)
    address = "/operations/dead-letters/approvals/1"
    page = client.get(address).text
    assert "is built anew from the whole log" in page
    assert "<img" not in page
    tried = client.post(f"{address}/retry", data={"reason": "mended"})
    assert tried.headers["location"].startswith("/operations/read-models/approvals")
    assert client.post(f"{address}/skip", data={"reason": "known"}).status_code == 303
    assert "No dead letter" in client.get("/operations/dead-letters").text
    assert "approvals" in client.get("/operations/dead-letters?skipped=true").text
    assert "Skipped by" in client.get(address).text
    assert client.get("/operations/dead-letters/approvals/2").status_code == 404


def test_a_viewer_sees_no_buttons(installation: Installation, client: TestClient, paused: UUID) -> None:
    root = client.post("/api/keys", json={"name": "root", "scopes": ["admin"]}).json()["key"]
    admin = {"Authorization": f"Bearer {root}"}
    made = client.post("/api/keys", json={"name": "ann", "scopes": ["viewer"]}, headers=admin).json()["key"]
    viewer = {"Authorization": f"Bearer {made}"}
    installation.until(lambda: client.get("/operations").status_code == 303)
    installation.until(lambda: client.get("/operations", headers=viewer).status_code == 200)
    for path in ("/operations/read-models/approvals", f"/operations/timers/{paused}/pause/timer"):
        assert "<textarea" not in client.get(path, headers=viewer).text
    assert 'href="/operations/settings"' not in client.get("/operations", headers=viewer).text
    refused = client.post("/operations/read-models/approvals/rebuild", data={"reason": "x"}, headers=viewer)
    assert refused.status_code == 403
    assert client.get("/operations/settings", headers=viewer).status_code == 403
