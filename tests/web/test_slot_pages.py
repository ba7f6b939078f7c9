"""The turn of executions over HTTP and on pages: key, priority, place in line, limit; and starts that have none."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

LETTERS = """
name: letters
input:
  customer: {type: string}
  urgent: {type: integer, default: 0}
max_running: {limit: 1200, per: "{{ input.customer }}"}
priority: "{{ input.urgent }}"
steps:
  - {id: answer, agent: echo, message: hello}
"""

Begin = Callable[..., Any]


@pytest.fixture
def begin(client: TestClient, installation: Any) -> Begin:
    """Start an execution of `letters` with this input; return the answer."""
    installation.publish(client, LETTERS, echo={"script": "echo"})

    def beginning(**input: Any) -> Any:
        return client.post("/api/processes/letters/executions", json={"input": input})

    return beginning


def place(found: dict[str, Any]) -> tuple[Any, ...]:
    return found["status"], found["slot_key"], found["priority"], found["queue_position"], found["slot_limit"]


def test_an_execution_that_waits_states_its_place_in_line(client: TestClient, installation: Any, begin: Begin) -> None:
    ids = [
        UUID(begin(customer=customer, urgent=urgent).json()["execution_id"])
        for customer, urgent in (("acme", 0), ("acme", 100), ("acme", -5), ("<b>", 7))
    ]
    installation.project()
    shown = [client.get(f"/api/executions/{id}").json() for id in ids]
    assert [place(each) for each in shown] == [
        ("queued", "acme", 0, 2, 1200),
        ("queued", "acme", 100, 1, 1200),
        ("queued", "acme", -5, 3, 1200),
        ("queued", "<b>", 7, 1, 1200),
    ]
    assert all(each["waiting_for"] == [{"kind": "slot", "step": None}] for each in shown)
    page = client.get(f"/executions/{ids[2]}").text
    assert "<dt>Place in line</dt><dd>3 of acme<small>priority -5, 1,200 may run at once</small>" in page
    assert "<dd>1 of &lt;b&gt;<small>priority 7," in client.get(f"/executions/{ids[3]}").text
    assert client.get(f"/api/executions/{ids[0]}", params={"as_of": shown[0]["position"]}).json()["priority"] == 0

    client.post(f"/api/executions/{ids[1]}/cancel", json={"reason": "enough"})
    installation.project()
    assert place(client.get(f"/api/executions/{ids[0]}").json()) == ("queued", "acme", 0, 1, 1200)
    assert place(client.get(f"/api/executions/{ids[1]}").json()) == ("cancelled", "acme", 100, None, None)
    assert "<dt>Turn</dt><dd>acme<small>priority 100</small>" in client.get(f"/executions/{ids[1]}").text


def test_a_process_states_its_limit_and_its_lines(client: TestClient, installation: Any, begin: Begin) -> None:
    for customer in ("acme", "<b>", "acme", ""):
        begin(customer=customer)
    installation.project()
    assert client.get("/api/processes/letters").json()["slots"] == {
        "limit": 1200,
        "per": "{{ input.customer }}",
        "lines": [
            {"key": "acme", "running": 0, "waiting": 2},
            {"key": "", "running": 0, "waiting": 1},
            {"key": "<b>", "running": 0, "waiting": 1},
        ],
    }
    page = client.get("/processes/letters").text
    assert "<dd>1,200 each<small>per <span" in page
    assert "Running, of 1,200" in page
    assert '<a href="/executions?process=letters&amp;slot_key=%3Cb%3E">&lt;b&gt;</a>' in page
    assert '<a href="/executions?process=letters&amp;slot_key=%22%22">without a key</a>' in page


def test_the_executions_of_a_line_are_listed(client: TestClient, installation: Any, begin: Begin) -> None:
    keys = ("acme", "a, b", "acme", "")
    ids = [begin(customer=customer).json()["execution_id"] for customer in keys]
    client.post(f"/api/executions/{ids[0]}/cancel", json={"reason": "enough"})
    installation.project()

    def listed(**query: str) -> list[str]:
        answer = client.get("/api/executions", params={"process": "letters", **query})
        assert answer.status_code == 200, answer.text
        return [each["execution_id"] for each in answer.json()["items"]]

    assert listed(slot_key="acme") == [ids[2], ids[0]]
    assert listed(slot_key="acme", status="queued") == [ids[2]]
    assert listed(slot_key='"a, b"') == [ids[1]]
    assert listed(slot_key="nobody") == []
    assert listed(slot_key='""') == [ids[3]]
    assert listed(slot_key='"",acme') == [ids[3], ids[2], ids[0]]
    assert listed(slot_key="") == listed()
    keyless = client.get("/executions?process=letters&slot_key=%22%22").text
    assert [id in keyless for id in ids] == [False, False, False, True]
    assert 'in line <b class="b">without a key</b>' in keyless
    href = "/executions?process=letters&amp;slot_key=%22a%2C%20b%22"
    assert href in client.get("/processes/letters").text
    page = client.get(href.replace("&amp;", "&")).text
    assert [id in page for id in ids] == [False, True, False, False]
    assert "in line" in page
    refused = client.get("/api/executions?slot_key=acme")
    assert refused.status_code == 400
    assert refused.json()["problems"][0]["path"] == "slot_key"
    assert client.get("/executions?slot_key=acme").status_code == 200


def test_a_process_with_one_line_for_all_states_it(client: TestClient, installation: Any) -> None:
    installation.publish(
        client, "name: narrow\nmax_running: 1\nsteps: [{id: a, agent: echo, message: x}]\n", echo={"script": "echo"}
    )
    installation.publish(client, "name: wide\nsteps: [{id: a, agent: echo, message: x}]\n")
    client.post("/api/processes/narrow/executions", json={})
    installation.project()
    lines = [{"key": "", "running": 0, "waiting": 1}]
    assert client.get("/api/processes/narrow").json()["slots"] == {"limit": 1, "per": None, "lines": lines}
    assert "<dt>At once</dt><dd>1<small>0 running, 1 waiting</small>" in client.get("/processes/narrow").text
    assert client.get("/api/processes/wide").json()["slots"] is None
    assert "At once" not in client.get("/processes/wide").text


def test_a_start_without_a_key_or_a_priority_is_refused(begin: Begin) -> None:
    for input, code, path in (
        ({"customer": "x" * 201}, "slot_key_invalid", "max_running.per"),
        ({"customer": "acme", "urgent": 101}, "priority_invalid", "priority"),
    ):
        answer = begin(**input)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert [(problem["code"], problem["path"]) for problem in answer.json()["problems"]] == [(code, path)]
    assert begin(customer="acme", urgent=100).status_code == 202
