"""Saving a process as a template over HTTP: its parameters come along, its secrets do not."""

from starlette.testclient import TestClient

from tests.api.conftest import Installation


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
