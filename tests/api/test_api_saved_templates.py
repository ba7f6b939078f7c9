"""Processes saved as templates over HTTP: versions, parameters, secrets, and what a newer version would change."""

from decimal import Decimal
from typing import Any

from starlette.testclient import TestClient

from scheduler.worker import Worker
from tests.api.conftest import GREETING, Installation
from tests.api.test_api_analytics import PAID
from tests.api.test_api_templates import save


def test_values_become_parameters_and_secrets_are_taken_out(client: TestClient, installation: Installation) -> None:
    key = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
    source = GREETING.replace('message: "Check', f'parameters: {{api_key: "{key}"}}, message: "Check')
    installation.publish(client, source, writer={"script": "echo"})
    parameters = {"greeter": {"path": ["steps[0].agent", "steps[1].agent"], "type": "agent", "default": "writer"}}
    body = {"name": "Greeting", "parameters": parameters}
    saved = client.post("/api/processes/greeting/template", json=body)
    assert saved.status_code == 201, saved.text
    assert [each["path"] for each in saved.json()["removed_secrets"]] == ["steps[1].parameters.api_key"]
    installation.project()
    found = client.get("/api/templates/org:greeting")
    assert key not in found.text + saved.text
    assert set(found.json()["parameters"]) > {"greeter"}
    secret = next(name for name, each in found.json()["parameters"].items() if each["type"] == "secret")
    made = client.post(
        "/api/templates/org:greeting/preview", json={"parameters": {"greeter": "clerk", secret: "${ORDERS_SECRET}"}}
    )
    assert made.status_code == 200, made.text
    assert [step["agent"] for step in made.json()["steps"]] == ["clerk", "clerk"]
    wrong = {"greeter": {"path": "steps[9].agent", "type": "agent"}, "b": {"path": "name", "type": "string"}, "c": 7}
    assert client.post("/api/processes/greeting/template", json={"name": "x", "parameters": wrong}).status_code == 422
    del wrong["c"]
    assert client.post("/api/processes/greeting/template", json={"name": "x", "parameters": wrong}).status_code == 422


def test_a_newer_version_of_the_template_is_shown(
    client: TestClient, installation: Installation, greeting: str
) -> None:
    id = save(client, greeting)
    assert client.post(f"/api/templates/{id}/use", json={"name": "welcome"}).status_code == 201
    installation.project()
    found = client.get("/api/processes/welcome/template-update").json()
    assert (found["newer"], found["template_version"], found["before"] == found["current"]) == (False, 1, True)
    revised = {"content": GREETING.replace("Hello", "Good day"), "headers": {"Content-Type": "application/yaml"}}
    assert client.put(f"/api/processes/{greeting}", **revised).status_code == 200  # type: ignore[arg-type]
    save(client, greeting)
    installation.project()
    found = client.get("/api/processes/welcome/template-update").json()
    assert (found["newer"], found["latest"], "Good day" in found["after"]) == (True, 2, True)
    assert found["after"].startswith("\nname: welcome")
    assert ([each["path"] for each in found["by_template"]], found["by_hand"], found["conflicts"]) == (
        ["steps[greet].message"],
        [],
        [],
    )
    assert found["merged"] == found["after"]
    missing = client.get(f"/api/processes/{greeting}/template-update")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_from_template")


def test_a_process_becomes_a_template_in_versions(
    client: TestClient, installation: Installation, greeting: str
) -> None:
    body = {"name": "Greeting", "description": "Greets a guest.", "tags": ["hello"], "category": "desk"}
    first = client.post(f"/api/processes/{greeting}/template", json=body).json()
    assert (first["template_id"], first["version"], first["removed_secrets"]) == ("org:greeting", 1, [])
    assert client.post(f"/api/processes/{greeting}/template", json=body).json()["duplicate"] is True
    second = client.post(f"/api/processes/{greeting}/template", json={**body, "description": "Greets."}).json()
    assert second["version"] == 2
    revised = GREETING.replace("Hello", "Good day")
    assert client.put(f"/api/processes/{greeting}", content=revised, headers={"Content-Type": "application/yaml"})
    installation.project()
    found = client.get("/api/templates/org:greeting").json()
    assert (found["version"], found["latest"], found["tags"], found["shared_with"]) == (2, 2, ["hello"], "private")
    assert "Good day" not in found["yaml"]
    assert client.get("/api/templates/org:greeting?version=1").json()["latest"] == 2
    made = client.post("/api/templates/org:greeting/use", json={"name": "welcome", "version": 1})
    assert (made.status_code, made.json()["template_version"]) == (201, 1)


def test_saving_takes_parameters_and_no_secret_along(
    client: TestClient, installation: Installation, greeting: str
) -> None:
    written = (
        "name: greeting\nsteps:\n  - id: greet  # first\n    agent: writer\n    message: Hello\n"
        "    parameters: {api_key: abcd1234efgh}\n"
    )
    yaml = {"Content-Type": "application/yaml"}
    client.put(f"/api/processes/{greeting}", content=written, headers=yaml).raise_for_status()
    body = {"name": "Greeting", "parameters": {"greeter": {"path": "steps[0].agent", "type": "agent"}}}

    saved = client.post(f"/api/processes/{greeting}/template", json=body)
    assert saved.status_code == 201, saved.text
    (removed,) = saved.json()["removed_secrets"]
    assert (removed["path"], removed["parameter"]) == ("steps[0].parameters.api_key", "api_key")
    wrong = {"name": "Other", "parameters": {"greeter": {"path": "steps[0].id", "type": "string"}}}
    refused = client.post(f"/api/processes/{greeting}/template", json=wrong)
    assert [problem["code"] for problem in refused.json()["problems"]] == ["placeholder_forbidden"]

    installation.project()
    found = client.get("/api/templates/org:greeting").json()
    assert "abcd1234efgh" not in found["yaml"]
    answers = {"greeter": "clerk", "api_key": "${DESK_KEY}"}
    made = client.post("/api/templates/org:greeting/use", json={"name": "welcome", "parameters": answers})
    assert made.status_code == 201, made.text
    installation.project()
    draft = client.get(f"/api/processes/{made.json()['process_id']}").json()["draft"]
    expected = written.replace("name: greeting", "name: welcome").replace("writer", "clerk")
    assert draft["yaml"] == expected.replace("abcd1234efgh", '"${DESK_KEY}"')


def test_the_cost_is_estimated_from_what_came_from_the_template(
    client: TestClient, installation: Installation, worker: Worker
) -> None:
    installation.publish(client, "name: paid\nsteps: [{id: work, agent: writer, message: go}]\n", writer=PAID)
    id = save(client, "paid")
    assert client.post(f"/api/templates/{id}/use", json={"name": "made"}).status_code == 201
    assert client.post("/api/processes/made/publish").status_code == 200

    def estimate() -> Any:
        installation.project()
        return client.post(f"/api/templates/{id}/preview", json={}).json()["estimated_cost"]

    installation.begin(client, "made")
    assert estimate() is None
    for _ in range(4):
        installation.begin(client, "made")
    installation.until(estimate)
    (cost,) = estimate()
    assert (cost["currency"], Decimal(cost["amount"]) > 0) == ("USD", True)
