"""Dead letters, workers, sizes and settings over HTTP."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from starlette.testclient import TestClient

Start = Callable[..., UUID]


def execute(installation: Any, statement: str, *values: Any) -> None:
    with installation.datastore.reading() as connection:
        connection.execute(statement, values)


def test_dead_letters_come_in_pages_the_newest_first(client: TestClient, installation: Any, start: Start) -> None:
    start()
    for n in range(1, 4):
        execute(
            installation,
            "insert into dead_letters values ('approvals', %s, 'odd', now() + %s * interval '1 second')",
            n,
            n,
        )
    execute(installation, "insert into dead_letters values ('key_list:previous', 1, 'old', now() - interval '1 hour')")
    first = client.get("/api/dead-letters", params={"limit": 2}).json()
    rest = client.get("/api/dead-letters", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    items = [*first["items"], *rest["items"]]
    assert [(each["projection"], each["position"], each["tables"]) for each in items] == [
        ("approvals", 3, "in_use"),
        ("approvals", 2, "in_use"),
        ("approvals", 1, "in_use"),
        ("key_list", 1, "previous"),
    ]
    assert items[2]["type"] == "AgentRegistered"
    assert rest["next_cursor"] is None
    only = client.get("/api/dead-letters", params={"projection": "key_list"}).json()["items"]
    assert [each["error"] for each in only] == ["old"]
    assert client.get("/api/dead-letters", params={"cursor": "no"}).status_code == 400
    assert client.get("/api/dead-letters", params={"colour": "red"}).status_code == 400


def test_workers_are_listed_with_what_they_hold(client: TestClient, installation: Any, start: Start) -> None:
    assert client.get("/api/workers").json()["items"] == []
    id, worker = start(), uuid4()
    execute(installation, "insert into workers values (%s, 'here', 7, now(), now() + interval '1 minute')", worker)
    execute(
        installation,
        "insert into workers values (%s, 'gone', 8, now() + interval '1 second', now() - interval '1 minute')",
        uuid4(),
    )
    execute(installation, "update due_steps set owner = %s", worker)
    page = client.get("/api/workers", params={"limit": 1}).json()
    (alive,) = page["items"]
    held = {"execution_id": str(id), "step": "greet", "attempt": 1, "agent": "writer"}
    assert (alive["host"], alive["alive"], alive["holds"], alive["held"]) == ("here", True, 1, [held])
    (lost,) = client.get("/api/workers", params={"cursor": page["next_cursor"]}).json()["items"]
    assert (lost["host"], lost["alive"], lost["holds"]) == ("gone", False, 0)


def test_sizes_are_those_of_the_catalogue(client: TestClient, installation: Any, start: Start) -> None:
    start()
    execute(installation, "analyze stored_events")
    found = client.get("/api/sizes").json()
    assert found["database_bytes"] > found["log"]["bytes"] > 0
    assert found["log"]["events_estimated"] == installation.events()
    assert found["log"]["last_position"] == installation.log.last_position()
    tables = {(each["schema"], each["table"]): each for each in found["tables"]}
    assert tables["public", "stored_events"]["index_bytes"] > 0
    assert ("public", "execution_list") in tables


def test_settings_are_for_admins(client: TestClient, key: Callable[..., dict[str, str]], root: dict[str, str]) -> None:
    viewer = key("viewer", "operator", "designer")
    assert client.get("/api/settings", headers=viewer).status_code == 403
    assert client.get("/api/settings", headers=root).json() == {"items": []}
    for path in ("/api/workers", "/api/sizes", "/api/dead-letters"):
        assert client.get(path, headers=viewer).status_code == 200, path
        assert client.get(path, headers=key("approver", name="bob")).status_code == 403, path


def test_timers_are_filtered(client: TestClient, installation: Any, start: Start) -> None:
    id = start()
    execute(
        installation,
        """insert into due_timers (execution_id, step, kind, due_at) values
        (%s, 'late', 'timeout', now() - interval '1 hour'), (%s, 'soon', 'retry', now() + interval '1 hour')""",
        id,
        id,
    )
    installation.project()

    def steps(**filters: str) -> list[str]:
        return [each["step"] for each in client.get("/api/timers", params=filters).json()["items"]]

    assert steps() == ["late", "soon"]
    assert steps(due="overdue") == ["late"]
    assert steps(due="pending") == ["soon"]
    assert steps(due="overdue,pending") == ["late", "soon"]
    assert steps(kind="retry,deadline") == ["soon"]
    assert steps(process="greeting") == ["late", "soon"]
    assert steps(process="other") == []
    assert client.get("/api/timers", params={"kind": "nonsense"}).status_code == 400
