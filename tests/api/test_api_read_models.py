"""Acts on read models over HTTP: what each would do, a request of it, its withdrawal; and dead letters."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.clock import SYSTEM_CLOCK
from projections import ALL
from scheduler.requested import RequestedActs

PATH = "/api/projections/approvals"
WHY = {"reason": "to see"}


@pytest.fixture
def carry_out(installation: Any) -> Callable[[], None]:
    """Do what a projector does about one request."""
    return RequestedActs(installation.datastore, SYSTEM_CLOCK, ALL, lambda _done, _total: None).work


def test_a_read_model_is_shown_with_what_each_act_would_do(client: TestClient, greeting: str) -> None:
    found = client.get(PATH).json()
    assert found["model"]["name"] == "approvals"
    assert (found["tables_aside"], found["request"]) == ([], None)
    acts = {each["act"]: each for each in found["acts"]}
    assert list(acts) == ["verify", "rebuild", "build", "compare", "promote", "rollback", "drop"]
    assert [name for name, each in acts.items() if each["obstacle"] is None] == ["verify", "rebuild", "build"]
    assert acts["rebuild"]["events"] == found["as_of_position"]
    assert client.get("/api/projections/nothing").status_code == 404
    would = client.post(f"{PATH}/rebuild", params={"dry_run": "true"}, json=WHY)
    assert (would.status_code, would.json()) == (200, acts["rebuild"])
    assert client.get(PATH).json()["request"] is None


def test_a_model_is_built_compared_and_switched_over(
    client: TestClient, greeting: str, installation: Any, carry_out: Callable[[], None]
) -> None:
    assert client.get(f"{PATH}/diff").json()["code"] == "not_compared"
    for act in ("verify", "build", "compare", "promote", "rollback"):
        answer = client.post(f"{PATH}/{act}", json=WHY)
        assert answer.status_code == 202, answer.text
        assert (answer.json()["projection"], answer.json()["act"]) == ("approvals", act)
        assert client.get(PATH).json()["request"]["state"] == "requested"
        carry_out()
        found = client.get(PATH).json()["request"]
        assert (found["state"], found["actor"], found["reason"]) == ("done", "user:anonymous", "to see")
        if act == "compare":
            (table,) = client.get(f"{PATH}/diff").json()["tables"]
            assert (table["differing"], table["rows_live"]) == (0, table["rows_built"])
    assert [each["slot"] for each in client.get(PATH).json()["tables_aside"]] == ["previous"]


def test_requests_are_refused_repeated_and_withdrawn(client: TestClient, greeting: str) -> None:
    assert client.post(f"{PATH}/promote", json=WHY).json()["code"] == "no_tables"
    assert client.post(f"{PATH}/explode", json=WHY).status_code in (400, 404, 422)
    assert client.post(f"{PATH}/rebuild", json={}).status_code == 422
    assert client.post("/api/projections/nothing/rebuild", json=WHY).status_code == 404
    assert client.post(f"{PATH}/withdraw", json=WHY).json()["code"] == "no_request_open"
    key = {"Idempotency-Key": "once"}
    first, again = (client.post(f"{PATH}/rebuild", json=WHY, headers=key) for _ in range(2))
    assert first.json() == again.json()
    assert client.post(f"{PATH}/rebuild", json=WHY).json()["duplicate"] is True
    assert client.post(f"{PATH}/build", json=WHY).json()["code"] == "request_open"
    assert client.post(f"{PATH}/withdraw", json=WHY).status_code == 200
    assert client.get(PATH).json()["request"]["state"] == "withdrawn"


def test_operators_may_and_viewers_may_not(client: TestClient, key: Callable[..., dict[str, str]]) -> None:
    viewer, operator = key("viewer"), key("operator", name="bob")
    limited = key("operator", name="eve", processes=["greeting"])
    assert client.get(PATH, headers=viewer).status_code == 200
    assert client.post(f"{PATH}/rebuild", json=WHY, headers=viewer).status_code == 403
    assert client.post(f"{PATH}/rebuild", json=WHY, headers=limited).status_code == 404
    assert client.post(f"{PATH}/rebuild", json=WHY, headers=operator).status_code == 202


def test_a_dead_letter_is_skipped_or_tried_again(client: TestClient, installation: Any, greeting: str) -> None:
    with installation.datastore.reading() as connection:
        connection.execute("insert into dead_letters values ('approvals', 1, 'odd')")
    letter = "/api/dead-letters/approvals/1"
    retried = client.post(f"{letter}/retry", json=WHY)
    assert (retried.status_code, retried.json()["act"]) == (202, "rebuild")
    skipped, again = (client.post(f"{letter}/skip", json=WHY) for _ in range(2))
    assert (skipped.status_code, skipped.json()["letter"]) == (200, 1)
    assert again.json()["duplicate"] is True
    assert client.get("/api/dead-letters").json()["items"] == []
    (item,) = client.get("/api/dead-letters", params={"skipped": "true"}).json()["items"]
    assert (item["skipped_by"], item["skip_reason"]) == ("user:anonymous", "to see")
    assert client.post("/api/dead-letters/approvals/9/skip", json=WHY).status_code == 404
    assert client.post("/api/dead-letters/approvals/x/skip", json=WHY).status_code in (400, 404, 422)
    models = client.get("/api/projections").json()["items"]
    assert {each["name"]: each["dead_letters"] for each in models}["approvals"] == 0
