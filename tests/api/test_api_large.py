"""Large events over HTTP: pages end early and lose nothing, views leave out documents that do not fit."""

from hashlib import sha256
from itertools import chain
from typing import Any

from starlette.testclient import TestClient

from domain.agents.calls import Completed
from store import large_results

TEXT = "x" * 900_000
STEPS = 12
PROCESS = "name: large\nsteps:\n" + "".join(f"- {{id: s{n}, agent: echo, message: hello}}\n" for n in range(STEPS))
ASKING = """
name: asking
steps: [{id: ask, type: human_approval, artifacts: ["{{ input.text }}"]}]
"""


def test_a_large_execution_is_read_in_bounded_answers(client: TestClient, installation: Any) -> None:
    installation.publish(client, PROCESS, echo={"script": "echo"})
    id = installation.begin(client, "large")
    for n in range(STEPS):
        installation.answer(id, f"s{n}", Completed(TEXT))
    last = installation.project()

    versions = [[each["version"] for each in page] for page in pages(client, f"/api/executions/{id}/events")]
    assert [*chain(*versions)] == list(range(1, 3 * STEPS + 3))
    assert len(versions) == 3
    positions = [[each["position"] for each in page] for page in pages(client, "/api/events")]
    assert [*chain(*positions)] == list(range(1, last + 1))
    of_type = [each for page in pages(client, "/api/events?type=StepCompleted") for each in page]
    assert len(of_type) == STEPS

    now = client.get(f"/api/executions/{id}").json()["steps"]
    then = client.get(f"/api/executions/{id}?as_of={last}").json()["steps"]
    assert [step["output"] for step in now] == [step["output"] for step in then]
    assert [step["output"] for step in now] == [TEXT] * 9 + [{"left_out": 900_002}] * 3
    assert {step["input"]["message"] for step in now} == {"hello"}
    changed = client.get(f"/api/executions/{id}/diff?from={last - 3 * STEPS}&to={last}").json()["steps"]
    assert [each["changed"]["output"]["after"] for each in changed] == [TEXT] * 9 + [{"left_out": 900_002}] * 3


def test_pages_of_large_approvals_lose_none(client: TestClient, installation: Any) -> None:
    installation.publish(client, ASKING)
    body = {"input": {"text": TEXT}}
    begun = [client.post("/api/processes/asking/executions", json=body).json()["execution_id"] for _ in range(6)]
    installation.project()
    found = [[each["execution_id"] for each in page] for page in pages(client, "/api/approvals?limit=200")]
    assert [*chain(*found)] == begun[::-1]
    assert len(found) == 2


def pages(client: TestClient, path: str) -> list[list[dict[str, Any]]]:
    found, cursor = [], ""
    separator = "&" if "?" in path else "?"
    while True:
        page = client.get(f"{path}{cursor}").json()
        found.append(page["items"])
        if page["next_cursor"] is None:
            return found
        cursor = f"{separator}cursor={page['next_cursor']}"


def test_a_large_result_is_answered_whole_by_its_digest(client: TestClient, installation: Any) -> None:
    installation.publish(client, PROCESS, echo={"script": "echo"})
    id, other = installation.begin(client, "large"), installation.begin(client, "large")
    content = b'{"text":"%s"}' % TEXT.encode()
    digest = sha256(content).digest()
    with installation.datastore.reading() as connection:
        for _ in range(2):
            large_results.keep(connection, id, digest, content)
    answer = client.get(f"/api/executions/{id}/results/{digest.hex()}")
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == "application/json"
    for path in (
        f"{other}/results/{digest.hex()}",
        f"{id}/results/{'0' * 64}",
        f"{id}/results/..%2F",
        f"{id}/results/x",
    ):
        assert client.get(f"/api/executions/{path}").status_code == 404
