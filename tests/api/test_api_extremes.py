"""Every field of every command, with values at and beyond the edge of what it means: never a 500."""

from typing import Any
from uuid import UUID

from starlette.testclient import TestClient

from domain.identity import process_id, schedule_id
from tests.api.conftest import Installation, client, installation
from tests.web.test_every_reader import HELD, filled

__all__ = ["client", "installation"]

EXTREMES: tuple[Any, ...] = (
    None,
    True,
    -1,
    1e308,
    10**19,
    "",
    "\x00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "\ufffe\u202e\U0001f600" * 200,
    [],
    ["\x00"] * 3,
    {},
    {"\x00": {"a": [None]}},
)


def bodies_of(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every command with a JSON body: method, path, and the schema of each field."""
    found = []
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            fields = _resolved(schema, description).get("properties", {})
            if fields:
                stated = {name: _resolved(each, description) for name, each in fields.items()}
                found.append((method.upper(), path, stated))
    return found


def _resolved(schema: dict[str, Any], description: dict[str, Any]) -> dict[str, Any]:
    for each in (schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if "$ref" in each:
            found: dict[str, Any] = description["components"]["schemas"][each["$ref"].rpartition("/")[2]]
            return found
    return next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)


def plausible(schema: dict[str, Any]) -> Any:
    """A value of the schema."""
    if schema.get("format") == "date-time":
        return "2026-12-01T00:00:00Z"
    if "enum" in schema:
        return schema["enum"][0]
    return {"string": "writer", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}.get(
        str(schema.get("type"))
    )


def test_no_field_of_a_command_breaks_it(client: TestClient, installation: Installation) -> None:
    installation.wait_seconds = 0.001
    installation.publish(client, HELD, writer={"script": "echo"})
    id = UUID(client.post("/api/processes/held/executions", json={"input": {"ssn": "1"}}).json()["execution_id"])
    installation.project()
    values = {
        "execution_id": str(id),
        "approval_id": f"{id}:ask:1",
        "process": "held",
        "version": "1",
        "name": "writer",
        "event_id": f"{id}:1",
    }
    values |= {"step": "work", "kind": "wait", "projection": "execution_list", "position": "1", "digest": "0" * 64}
    values |= {"schedule_id": str(schedule_id(process_id("held"), "nightly")), "key_id": str(id), "act": "build"}
    values |= {"webhook_id": str(id), "batch_id": str(id), "template_id": "bundled:content-review"}
    values |= {"trigger_id": "hook", "verdict": "approve", "alert_id": str(UUID(int=1))}
    tried, broken = 0, []
    # Entered, it has one event loop for all requests, not one for each.
    with TestClient(installation.app, raise_server_exceptions=False) as requests:
        for method, path, fields in bodies_of(installation.app.openapi()):
            whole = {name: plausible(each) for name, each in fields.items()}
            for name in fields:
                for value in EXTREMES:
                    for body in ({name: value}, whole | {name: value}):
                        answer = requests.request(method, filled(path, values), json=body)
                        tried += 1
                        if answer.status_code >= 500 and answer.status_code != 503:
                            broken.append((method, path, name, str(value)[:40], answer.status_code))
            # The id of a stream of another noun is an id that is not there.
            swapped = dict.fromkeys(("alert_id", "key_id"), str(id)) | {"schedule_id": str(id)}
            for ids in (swapped, swapped | {"execution_id": values["schedule_id"], "process": str(id)}):
                answer = requests.request(method, filled(path, values | ids), json=whole)
                if answer.status_code >= 500 and answer.status_code != 503:
                    broken.append((method, path, "id", "of another noun", answer.status_code))
    assert tried > 1000
    assert not broken, broken
