"""Executions that left the log, over HTTP: 410 with the file, and figures that state how many they include."""

from pathlib import Path
from uuid import UUID

from starlette.testclient import TestClient

from app.clock import SYSTEM_CLOCK
from projections.archiving.running import archive
from tests.api.conftest import GREETING, Installation, Making, Shown

READS = ("", "/events", "/tree", "/cause", "/costs", "?as_of=3", "/diff?from=1&to=3")
ACTS = {
    "/cancel": {"reason": "late"},
    "/retry": {"reason": "late"},
    "/steps/greet/skip": {"reason": "late"},
    "/steps/greet/retry": {"reason": "late"},
}


def finished(client: TestClient, installation: Installation) -> UUID:
    """An execution of the process greeting that has completed."""
    answer = client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}})
    id = UUID(answer.json()["execution_id"])
    for step in ("greet", "check"):
        installation.answer(id, step)
    installation.project()
    return id


def leave(installation: Installation, folder: Path) -> list[str]:
    """Archive everything that has ended; the names of the files."""
    installation.runner.close()
    now = SYSTEM_CLOCK.now()
    return archive(installation.datastore, SYSTEM_CLOCK, now, folder, "user:ann", lambda _: None).files


def test_an_archived_execution_is_gone_and_its_file_is_named(
    client: TestClient, installation: Installation, tmp_path: Path
) -> None:
    installation.publish(client, GREETING, writer={"script": "echo"})
    id = finished(client, installation)
    (file,) = leave(installation, tmp_path)
    for path in READS:
        answer = client.get(f"/api/executions/{id}{path}")
        assert answer.status_code == 410, path
        problem = answer.json()
        assert (problem["code"], problem["file"]) == ("archived", file)
    for path, body in ACTS.items():
        answer = client.post(f"/api/executions/{id}{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (410, "archived"), path
    assert client.get("/api/executions/00000000-0000-0000-0000-00000000abcd").status_code == 404
    assert client.get("/api/executions").json()["items"] == []


def test_figures_state_how_many_archived_executions_they_include(
    client: TestClient, installation: Installation, tmp_path: Path
) -> None:
    installation.publish(client, GREETING, writer={"script": "echo"})
    finished(client, installation)
    leave(installation, tmp_path)
    finished(client, installation)
    whole = client.get("/api/analytics/processes").json()
    assert (whole["archived"], whole["total"]["archived"], whole["total"]["ended"]) == (1, 1, 2)
    assert [each["archived"] for each in whole["items"]] == [1]
    assert len(client.get(f"/api{whole['total']['links']['ended']}").json()["items"]) == 1
    one = client.get("/api/analytics/processes/greeting").json()
    assert (one["archived"], one["items"][0]["archived"]) == (1, 1)
    days = client.get("/api/analytics/trends?days=2").json()
    assert (days["archived"], days["items"][-1]["archived"], days["items"][0]["archived"]) == (1, 1, 0)
    assert client.get("/api/analytics/steps").json()["archived"] == 1
    counts = client.get("/api/processes/greeting").json()["executions"]
    assert counts == {"started": 2, "completed": 2, "failed": 0, "cancelled": 0, "archived": 1}


def test_a_limited_key_learns_of_archived_executions_of_its_processes_alone(
    client: TestClient, installation: Installation, root: Shown, key: Making, tmp_path: Path
) -> None:
    client.headers.update(root)
    installation.publish(client, GREETING, writer={"script": "echo"})
    id = finished(client, installation)
    leave(installation, tmp_path)
    for header in root:
        del client.headers[header]
    inside = key("viewer", name="inside", processes=["greeting"])
    outside = key("viewer", name="outside", processes=["claims-*"])
    assert client.get(f"/api/executions/{id}", headers=inside).status_code == 410
    assert client.get(f"/api/executions/{id}", headers=outside).status_code == 404
