"""Events show neither the configuration of agents nor keys to those who may not read these."""

from typing import Any

from starlette.testclient import TestClient

from domain.catalogue import stored_events
from edge.withheld import WITHHELD
from tests.api.conftest import Installation, Making, Shown

# The nouns whose events viewers read whole, sensitive fields aside: by the module of the event.
NOUNS = (
    "executions",
    "processes",
    "schedules",
    "calendars",
    "costs",
    "alerts",
    "roles",
    "inbox",
    "zone_data",
    "batches",
    "archive",
)
SHOWN = tuple(f"domain.{noun}." for noun in NOUNS)


def test_viewers_read_neither_configurations_nor_keys(
    client: TestClient, installation: Installation, root: Shown, key: Making
) -> None:
    config = {"kind": "http", "url": "https://inside.example/hook?where=hidden-place", "max_open": 7}
    config["provider"] = "hidden-house"
    assert client.put("/api/agents/writer", json=config, headers=root).status_code == 200
    assert client.request("DELETE", "/api/agents/writer", json={"reason": "old"}, headers=root).status_code == 200
    desk = key("operator", "designer", "viewer", "approver", name="hidden-desk", teams=["hidden-team"])
    id = next(each.key_id for each in installation.keys.ring().keys.values() if each.name == "hidden-desk")
    revoked = {"reason": "hidden reason"}
    assert client.request("DELETE", f"/api/keys/{id}", json=revoked, headers=root).status_code == 200
    viewer = key("operator", "designer", "viewer", "approver", name="hidden-other")
    installation.project()
    assert desk
    page = client.get("/api/events?limit=200", headers=viewer)
    assert "hidden" not in page.text
    found = {each["type"]: each["data"] for each in page.json()["items"]}
    registered = {"name": "writer", "kind": "http", "config": None, "max_open": 7, "provider": None}
    registered |= {"rate": None, "tokens": None}
    assert found["AgentRegistered"] == registered
    assert found["AgentRetired"] == {"name": "writer", "reason": "old"}
    assert set(found["KeyCreated"].values()) == set(found["KeyRevoked"].values()) == {None}
    for path in ("/api/agents", "/api/agents/writer"):
        assert "hidden" not in client.get(path, headers=viewer).text
    assert client.get("/api/keys", headers=viewer).status_code == 403
    whole = client.get("/api/events?limit=200", headers=root).text
    for words in ("hidden-place", "hidden-house", "hidden-desk", "hidden-team", "hidden reason"):
        assert words in whole


def test_every_noun_says_whether_viewers_read_its_events() -> None:
    kinds: dict[str, Any] = dict(stored_events())
    unsaid = [name for name, kind in kinds.items() if not kind.__module__.startswith(SHOWN) and name not in WITHHELD]
    # A claim states an id and a name; a retirement its reason.
    assert sorted(unsaid) == ["AgentRetired"]
