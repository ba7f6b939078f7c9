"""The API against its own description: schemathesis asks what nobody would think of asking."""

import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode, openapi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

EXAMPLES = 6
# All operations in one test would take minutes on a busy machine, and run into the limit of a test.
PARTS = 3
# 500 is not described, so that answering it is not conforming; 503 is, for positions that do not come.
CHOSEN = [status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def description(shared: Any) -> Any:
    return shared.app.openapi()


def test_the_description_names_every_type_it_refers_to(description: Any) -> None:
    schemas = description["components"]["schemas"]
    referred: set[str] = set()
    todo: list[Any] = [description]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            referred |= {value for key, value in item.items() if key == "$ref"}
            todo += item.values()
        elif isinstance(item, list):
            todo += item
    assert {name.rpartition("/")[2] for name in referred} <= schemas.keys()
    assert description["info"]["title"] == "Procession"
    assert {"ProblemDocument", "ExecutionDetail", "ProcessDetail"} <= schemas.keys()


def test_the_description_is_there(shared_client: TestClient) -> None:
    assert shared_client.get("/openapi.json").json()["openapi"].startswith("3.1")


@pytest.fixture(scope="module")
def there(shared: Any, shared_client: TestClient) -> dict[str, str]:
    """Names of things that are there, by the parameters of paths."""
    started = shared_client.post("/api/processes/greeting/executions", json={"input": {"name": "Ann"}}).json()
    shared.project()
    found = {"process": "greeting", "execution_id": started["execution_id"], "name": "writer", "version": "1"}
    return found | {"step": "greet", "kind": "timeout", "template_id": "bundled:content-review"}


@pytest.fixture(scope="module")
def operations(shared: Any) -> list[Any]:
    shared.wait_seconds = 0.02
    app = shared.app
    app.state.door = dataclasses.replace(app.state.door, longest_poll_seconds=0.02)
    schema = openapi.from_asgi("/openapi.json", app).exclude(path="/api/stream")
    return [result.ok() for result in schema.get_all_operations()]


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("mode", GenerationMode)
def test_the_api_keeps_to_its_description(
    operations: list[Any], there: dict[str, str], mode: GenerationMode, part: int
) -> None:
    """Valid and invalid requests, made up from the description: no answer that it does not describe."""
    assert sum(ask(operation, mode, there) for operation in operations[part::PARTS]) > 100 / PARTS


def ask(operation: Any, mode: GenerationMode, there: dict[str, str]) -> int:
    """Ask about one operation, half of the time for things that are there; how often."""
    asked = 0

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def asking(case: Case) -> None:
        nonlocal asked
        asked += 1
        if asked % 2:
            case.path_parameters.update({name: there.get(name, was) for name, was in case.path_parameters.items()})
        case.call_and_validate(checks=CHOSEN)

    try:
        asking()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # there is nothing about this operation that could be wrong
    return asked
