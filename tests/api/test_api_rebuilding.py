"""While the read tables are of another release: 503 with a code of its own for what is not ready, all else as ever."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from projections import ALL
from projections.rebuilding import build_and_switch
from queries.progress import ExecutionProgress
from queries.reading import Reading
from web.app import create_pages

SHAPES = {projection.name: projection.digest for projection in ALL}
ROUTES = {
    "execution_list": ("/api/executions", "/api/timers"),
    "execution_detail": ("/api/executions/{execution}",),
    "process_catalogue": ("/api/processes", "/api/processes/greeting", "/api/processes/greeting/versions/1"),
    "agent_directory": ("/api/agents", "/api/agents/writer"),
    "approvals": ("/api/approvals",),
}


@pytest.fixture
def released(installation: Any) -> Iterator[TestClient]:
    """The API of a release that says which shapes of read tables it can read."""
    progress = ExecutionProgress(installation.datastore, shapes=SHAPES)
    reading = Reading(installation.datastore, progress)
    with TestClient(
        create_app(dataclasses.replace(installation.door(hosts=installation.hosts), reading=reading))
    ) as opened:
        yield opened


def of_another_release(datastore: Any, name: str) -> None:
    """The tables of read model `name`, as another release might have built them."""
    table = next(projection for projection in ALL if projection.name == name).tables[0]
    with datastore.reading() as connection:
        connection.execute("update projections set digest = 'another' where name = %s", (name,))
        connection.execute(f"drop table {table}")
        connection.execute(f"create table {table} (nothing int)")


@contextmanager
def digest_of_another_release(datastore: Any, name: str) -> Iterator[None]:
    """Within it, the tables of read model `name` are said to be those of another release."""
    change = "update projections set digest = %s where name = %s"
    with datastore.reading() as connection:
        connection.execute(change, ("another", name))
    yield
    with datastore.reading() as connection:
        connection.execute(change, (SHAPES[name], name))


@pytest.mark.parametrize("name", ROUTES)
def test_what_is_not_ready_is_503_until_it_is_built_and_all_else_is_answered(
    released: TestClient, installation: Any, start: Any, problem_codes: Any, name: str
) -> None:
    execution = start()
    position = installation.project()
    paths = {path.format(execution=execution): of for of, each in ROUTES.items() for path in each}
    assert {released.get(path).status_code for path in paths} == {200}
    of_another_release(installation.datastore, name)
    for path, of in paths.items():
        answer = released.get(path, params={"min_position": position + (1_000_000 if of == name else 0)})
        if of == name:
            assert (answer.status_code, problem_codes(answer)) == (503, ["read_model_rebuilding"]), path
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert int(answer.headers["Retry-After"]) > 0
        else:
            assert answer.status_code == 200, path
    installation.runner.close()
    projection = next(projection for projection in ALL if projection.name == name)
    build_and_switch(installation.datastore, projection, lambda _done, _total: None)
    assert {released.get(path).status_code for path in paths} == {200}


SEVERAL = (
    ("cost_ledger", "/api/executions?cost=any"),
    ("cost_ledger", "/api/executions?called_from=2026-01-01T00:00:00Z"),
    ("agent_directory", "/api/processes/greeting/roles"),
    ("process_references", "/api/processes/greeting/roles/drift"),
    ("process_references", "/api/agents/writer/drift"),
    ("InformedAgentNotifier", "/api/agents/writer/drift"),
    ("roles", "/api/processes/greeting/roles"),
    ("execution_list", "/api/analytics/processes"),
    ("process_catalogue", "/api/analytics/processes"),
    ("template_uses", "/api/templates"),
    ("agent_directory", "/api/templates/bundled:content-review"),
    ("execution_list", "/api/templates/bundled:content-review/uses"),
)


@pytest.mark.parametrize(("name", "path"), SEVERAL)
def test_a_query_of_several_read_models_is_503_while_any_is_not_ready(
    released: TestClient, installation: Any, start: Any, problem_codes: Any, name: str, path: str
) -> None:
    start()
    installation.project()
    assert released.get(path).status_code == 200
    of_another_release(installation.datastore, name)
    answer = released.get(path)
    assert (answer.status_code, problem_codes(answer)) == (503, ["read_model_rebuilding"])


PAGES = {
    "execution_list": "/executions",
    "process_catalogue": "/processes",
    "agent_directory": "/agents",
    "approvals": "/approvals",
    "cost_alerts": "/alerts",
    "analytics": "/analytics",
    "schedules": "/schedules",
}


def test_a_page_that_is_not_ready_says_what_is_built_and_the_others_are_shown(installation: Any, start: Any) -> None:
    start()
    installation.project()
    progress = ExecutionProgress(installation.datastore, shapes=SHAPES)
    door = installation.door(hosts=installation.hosts)
    door = dataclasses.replace(door, reading=Reading(installation.datastore, progress))
    with TestClient(create_pages(door, dict)) as browser:
        assert {browser.get(path).status_code for path in PAGES.values()} == {200}
        for name, path in PAGES.items():
            with digest_of_another_release(installation.datastore, name):
                found = browser.get(path)
                assert (found.status_code, int(found.headers["Retry-After"]) > 0) == (503, True)
                for words in ("read_model_rebuilding", f">{name}</b>", "No projector builds", f"/read-models/{name}"):
                    assert words in found.text
                others = {*PAGES.values(), "/operations"} - {path}
                assert {other: browser.get(other).status_code for other in others} == dict.fromkeys(others, 200)


def test_health_and_the_list_of_read_models_say_which_is_not_ready(
    released: TestClient, installation: Any, start: Any
) -> None:
    start()
    installation.project()
    assert released.get("/health/ready").json()["status"] == "ready"
    of_another_release(installation.datastore, "agent_directory")
    ready = released.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert {name for name, each in ready.json()["projections"].items() if not each["ready"]} == {"agent_directory"}
    items = {item["name"]: item for item in released.get("/api/projections").json()["items"]}
    assert {name for name, item in items.items() if not item["ready"]} == {"agent_directory"}
    assert (items["agent_directory"]["state"], items["agent_directory"]["building"]) == ("unattended", None)
    assert "another release" in items["agent_directory"]["last_error"]


def test_an_event_of_a_newer_release_is_named_by_its_position_and_type(
    released: TestClient, installation: Any, start: Any
) -> None:
    start()
    position = installation.project()
    with installation.datastore.reading() as connection:
        connection.execute(
            "insert into stored_events (originator_id, originator_version, topic, state)"
            " values (gen_random_uuid(), 1, 'ComesLater', '{}')"
        )
    installation.project()
    for each in released.get("/health/ready").json()["projections"].values():
        assert each["failed"]
        assert f"before position {position + 1}: " in each["reason"]
        assert "'ComesLater'" in each["reason"]
    items = released.get("/api/projections").json()["items"]
    assert {item["state"] for item in items} == {"failed"}
    assert all("'ComesLater'" in item["last_error"] for item in items)
    assert released.get("/api/executions").status_code == 200
