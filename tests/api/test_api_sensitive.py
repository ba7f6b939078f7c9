"""Sensitive fields: whoever is no admin reads them nowhere, however a definition or an agent copies them."""

import json
from typing import Any
from uuid import UUID

import httpx2
import pytest
from starlette.testclient import TestClient

from domain.agents.calls import Completed, Failed, StepError
from queries import sensitive
from tests.api.conftest import Installation, Making, Shown, serve
from tests.api.test_api_stream import Stream
from web.app import PagesBeside, create_pages

PATIENT = """
name: patient
input:
  ssn: {type: string, required: true, sensitive: true}
  account: {type: integer, required: true, sensitive: true}
  pin: {type: object, required: true, sensitive: true}
  city: {type: string, required: true}
steps:
  - id: assess
    agent: writer
    message: "SSN {{ input.ssn }} of {{ input.city }}"
    parameters: {all: "in {{ input | json }}", upper: "{{ input.ssn | upper }}", number: "{{ input.account }}"}
    output_schema:
      type: object
      properties:
        score: {type: integer, x-sensitive: true}
        people: {type: array, items: {type: object, properties: {nick: {type: string, x-sensitive: true}}}}
        remark: {type: string}
  - {id: call, type: sub_process, process: plain, depends_on: assess, input_mapping: {text: "{{ input.ssn }}"}}
  - id: ask
    type: human_approval
    depends_on: assess
    title: "For {{ input.account }}"
    description: "{{ input.ssn }}, called {{ steps.assess.output.people[0].nick }}"
    artifacts: ["{{ input.ssn }}"]
  - {id: last, agent: writer, message: "{{ steps.assess.output.score }}", depends_on: ask}
"""
PLAIN = """
name: plain
input: {text: {type: string}}
steps: [{id: say, agent: writer, message: "{{ input.text }} {{ input.text | lower }}"}]
outputs: {text: "{{ input.text }}"}
"""
SSN, ACCOUNT, PIN, NICK, SCORE = '078-05-"AB\nç', 8812345677, "9", "Wolverine", 7654321
GIVEN = {"ssn": SSN, "account": ACCOUNT, "pin": {"code": PIN, "word": "Sesame"}, "city": "Bern"}
SECRETS = ("078-05", str(ACCOUNT), "sesame", NICK.lower(), str(SCORE))

# The agent's script, in its registration, holds the same values.
TYPES = ("ExecutionStarted", "StepScheduled", "StepCompleted", "SubProcessStarted", "ApprovalRequested")
LOG = "/api/events?limit=200&" + "&".join(f"type={name}" for name in TYPES)


def read(client: TestClient, paths: list[str], header: Shown) -> dict[str, str]:
    """The answers to GET, as an unescaped text each."""
    found = {}
    for path in paths:
        answer = client.get(path, headers=header)
        assert answer.status_code == 200, (path, answer.text)
        found[path] = answer.text
    return found


def paths_of(installation: Installation, client: TestClient, id: UUID, header: Shown) -> list[str]:
    end = installation.project()
    events = client.get(f"/api/executions/{id}/events?limit=200", headers=header).json()["items"]
    first = events[0]["position"]
    approvals = [event["data"]["approval_id"] for event in events if event["type"] == "ApprovalRequested"]
    return [
        f"/api/executions/{id}",
        f"/api/executions/{id}?as_of={end}",
        f"/api/executions/{id}/diff?from={first}&to={end}",
        f"/api/executions/{id}/events?limit=200",
        "/api/executions?include_children=true",
        "/api/approvals",
        *(f"/api/approvals/{each}" for each in approvals),
    ]


def test_nobody_but_an_admin_reads_a_sensitive_value(
    client: TestClient, installation: Installation, root: Shown, key: Making, worker: Any
) -> None:
    client.headers.update(root)
    for source in (PLAIN, PATIENT):
        installation.publish(client, source, writer={"script": "echo"}, other={"script": "echo"})
    del client.headers["Authorization"]
    door = installation.door(hosts=installation.hosts)
    pages = TestClient(PagesBeside(installation.app, create_pages(door, installation.app.openapi)))
    output = {"score": SCORE, "people": [{"nick": NICK}], "remark": f"{NICK} has {SSN}"}
    config = {"kind": "scripted", "script": "answers", "answers": {"assess": output, "*": "fine"}}
    client.put("/api/agents/writer", json=config, headers=root)
    started = client.post("/api/processes/patient/executions", json={"input": GIVEN}, headers=root)
    id = UUID(started.json()["execution_id"])
    installation.until(lambda: {"SubProcessStarted", "ApprovalRequested"} <= set(installation.types(id)))
    [begun] = [event for event in installation.log.stream(id) if type(event).__name__ == "SubProcessStarted"]
    child = begun.child
    installation.until(lambda: len(installation.types(child)) > 3)
    operator = key("operator", name="op")
    limited = key("viewer", name="limited", processes=["plain"])
    approver = key("approver", name="decider")
    both = [*paths_of(installation, client, id, root), *paths_of(installation, client, child, root)]
    plain = read(client, [*both, LOG], operator)
    plain |= {f"limited {path}": text for path, text in read(client, both[-6:-1], limited).items()}
    plain |= {f"approver {path}": text for path, text in read(client, ["/api/approvals"], approver).items()}
    html = ["/", "/executions?include_children=true", "/approvals", f"/executions/{child}?step=say"]
    html += [f"/executions/{id}?step={step}" for step in ("assess", "call", "ask", "last")]
    html += [f"/approvals/{id}:ask:1"]
    plain |= read(pages, html, operator)
    for path, text in plain.items():
        assert not [secret for secret in SECRETS if secret in text.lower()], path
    assert '"city":"Bern"' in plain[f"/api/executions/{id}"]
    assert "SSN ••• of Bern" in plain[f"/api/executions/{id}/events?limit=200"]
    assert "••• has •••" in plain[f"/api/executions/{id}"]
    seen = json.loads(read(client, [f"/api/executions/{id}"], root)[f"/api/executions/{id}"])
    assert seen["input"] == GIVEN
    assert seen["steps"][0]["output"] == output
    assert seen["steps"][0]["input"]["message"] == f"SSN {SSN} of Bern"
    masked = json.loads(plain[f"/api/executions/{id}"])
    assert masked["input"] == {"ssn": "•••", "account": "•••", "pin": "•••", "city": "Bern"}
    assert masked["steps"][0]["output"]["people"] == [{"nick": "•••"}]


FAILING = """
name: failing
input: {ssn: {type: string, required: true, sensitive: true}}
steps:
  - id: only
    agent: writer
    message: x
    output_schema: {type: object, properties: {code: {type: integer, x-sensitive: true}}}
"""


@pytest.mark.parametrize(
    "answer", [Failed(StepError("bad", "no 078-05-1120 here", permanent=True)), Completed({"code": "078-05-1120"})]
)
def test_errors_hold_no_sensitive_value(
    client: TestClient, installation: Installation, root: Shown, key: Making, answer: Any
) -> None:
    client.headers.update(root)
    installation.publish(client, FAILING, writer={"script": "echo"})
    given = {"input": {"ssn": "078-05-1120"}}
    id = UUID(client.post("/api/processes/failing/executions", json=given).json()["execution_id"])
    installation.answer(id, "only", answer)
    installation.project()
    del client.headers["Authorization"]
    viewer = key("viewer", name="see")
    for path in ("/api/executions", f"/api/executions/{id}", f"/api/executions/{id}/events", "/api/events?limit=200"):
        text = client.get(path, headers=viewer).text
        assert "078-05" not in text, path
        assert "•••" in text, path


def test_what_is_too_much_to_compare_is_masked_whole(
    client: TestClient, installation: Installation, root: Shown, key: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.headers.update(root)
    installation.publish(client, FAILING, writer={"script": "echo"})
    given = {"input": {"ssn": "078-05-1120"}}
    id = UUID(client.post("/api/processes/failing/executions", json=given).json()["execution_id"])
    installation.answer(id, "only", Failed(StepError("bad", "anything", permanent=True)))
    installation.project()
    del client.headers["Authorization"]
    monkeypatch.setattr(sensitive, "MAX_BYTES", 10)
    found = client.get(f"/api/executions/{id}", headers=key("viewer", name="see")).json()
    assert found["error"]["message"] == "•••"
    assert found["status"] == "failed"


def test_a_stream_masks_its_events(client: TestClient, installation: Installation, root: Shown, key: Making) -> None:
    viewer = key("viewer", name="see")
    server = serve(installation.app)
    client.headers.update(root)
    installation.publish(client, FAILING, writer={"script": "echo"})
    given = {"input": {"ssn": "078-05-1120"}}
    id = UUID(client.post("/api/processes/failing/executions", json=given).json()["execution_id"])
    with (
        httpx2.Client(base_url=server.url, timeout=60, headers=viewer) as reader,
        reader.stream("GET", f"/api/stream?execution={id}") as answer,
    ):
        assert Stream(answer).next()["data"]["data"]["input"] == {"ssn": "•••"}
    server.stop()


CALLED = """
name: plain
input: {text: {type: string}}
steps:
  - {id: say, agent: writer, message: x, output_schema: {type: object, properties: {name: {x-sensitive: true}}}}
outputs: {name: "{{ steps.say.output.name }}"}
"""
CALLER = """
name: caller
steps:
  - {id: call, type: sub_process, process: plain}
  - {id: echo, agent: writer, message: "Hello {{ steps.call.output.name }}", depends_on: call}
"""


def test_what_a_child_marks_is_masked_in_its_parent(
    client: TestClient, installation: Installation, root: Shown, key: Making, worker: Any
) -> None:
    client.headers.update(root)
    answers = {"say": {"name": NICK}, "*": "fine"}
    installation.publish(client, CALLED, writer={"script": "answers", "answers": answers})
    installation.publish(client, CALLER)
    id = installation.begin(client, "caller")
    installation.until(lambda: "ExecutionCompleted" in installation.types(id))
    del client.headers["Authorization"]
    viewer = key("viewer", name="see")
    for path, text in read(client, paths_of(installation, client, id, root), viewer).items():
        assert NICK not in text, path
    assert "Hello •••" in client.get(f"/api/executions/{id}", headers=viewer).text
