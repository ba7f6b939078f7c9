"""Every parameter of every query and page, with values at and beyond the edge of what it means: never a 500."""

from itertools import product
from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.testclient import TestClient

from domain.identity import process_id, schedule_id
from tests.api.conftest import Installation, client, installation
from tests.web.test_every_reader import HELD, filled, pages_of
from web.app import PagesBeside

__all__ = ["client", "installation"]

EXTREMES = (
    "",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "0001-01-01",
    "9999-12-31",
    "-1",
    "9223372036854775808",
    "1e999",
    "\x00",
    "\ufffe\u202e\U0001f600",
    "%" * 300,
    "{{ 1 }}",
)
NEVER_ENDS = "/api/stream"


def queries_of(app: FastAPI) -> list[tuple[str, list[str]]]:
    """Every path that is read, with the names of its query parameters."""
    described: dict[str, Any] = get_openapi(title="", version="", routes=app.routes)["paths"]
    return [
        (path, [each["name"] for each in operations["get"].get("parameters", ()) if each["in"] == "query"])
        for path, operations in described.items()
        if "get" in operations and path != NEVER_ENDS
    ]


def test_no_parameter_of_a_query_or_a_page_breaks_it(client: TestClient, installation: Installation) -> None:
    installation.wait_seconds = 0.001
    installation.publish(client, HELD, writer={"script": "echo"})
    started = client.post("/api/processes/held/executions", json={"input": {"ssn": "1"}}).json()
    id = UUID(started["execution_id"])
    installation.answer(id, "work")
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
    values["schedule_id"] = str(schedule_id(process_id("held"), "nightly"))
    values |= {"alert_id": str(id), "webhook_id": str(id), "batch_id": str(id), "template_id": "bundled:content-review"}
    pages = pages_of(installation)
    tried = 0
    broken = []
    beside = PagesBeside(installation.app, pages)
    # Within `with` all requests share one event loop, and its threads.
    with TestClient(beside, follow_redirects=False, raise_server_exceptions=False) as browser:
        for path, names in (each for app in (installation.app, pages) for each in queries_of(app)):
            for name, value in product(names, EXTREMES):
                answer = browser.get(f"{filled(path, values)}?{name}={quote(value)}")
                tried += 1
                if answer.status_code >= 500 and answer.status_code != 503:
                    broken.append((path, name, value[:40], answer.status_code))
    assert tried > 1000
    assert not broken, broken
