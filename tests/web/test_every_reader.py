"""Every page and every query, with keys of every scope and with none: what each shows, and to whom."""

import string
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.testclient import TestClient

from domain.agents.calls import Failed, StepError
from domain.identity import process_id, schedule_id
from domain.keys.scopes import KeyScope
from edge.scopes import AGENT_GRANTS, GRANTS, STATED
from store import large_results
from tests.api.conftest import Installation, Making, Shown, client, installation, key, root
from tests.api.test_api_sensitive import CALLED
from web.app import PagesBeside, create_pages

__all__ = ["client", "installation", "key", "root"]

SECRET = "Wolverine-4711"
HELD = """
name: held
input: {ssn: {type: string, required: true, sensitive: true}}
steps:
  - {id: work, agent: writer, message: "{{ input.ssn }}"}
  - {id: ask, type: human_approval, title: "{{ input.ssn }}", description: "{{ input.ssn }}"}
  - {id: pause, type: timer, duration: 9d, depends_on: ask}
triggers: [{type: schedule, id: nightly, cron: "0 3 * * *", input: {ssn: none}}]
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OPEN = ("/sign-in", "/sign-out")

Browsing = Callable[[FastAPI], TestClient]


@pytest.fixture
def browsing(installation: Installation) -> Iterator[Browsing]:
    """Open pages and the API beside them. All requests share one event loop, and its threads."""
    with ExitStack() as ending:
        yield lambda pages: ending.enter_context(
            TestClient(PagesBeside(installation.app, pages), follow_redirects=False)
        )


def pages_of(installation: Installation) -> FastAPI:
    """The pages of a process that starts now, and so has every key that was made."""
    return create_pages(installation.door(hosts=installation.hosts), installation.app.openapi)


def routes(app: FastAPI, *methods: str) -> list[tuple[str, str, str | None]]:
    """Every operation of an application: method, path, and the permission that its route states."""
    described = get_openapi(title="", version="", routes=app.routes)
    return [
        (method.upper(), path, operation.get(STATED))
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
        if method.upper() in methods
    ]


def filled(path: str, values: dict[str, str]) -> str:
    """The path with its parameters; a new one needs a value here."""
    names = [name for _, name, _, _ in string.Formatter().parse(path) if name]
    missing = [name for name in names if name not in values]
    assert not missing, f"{path}: say in this test what {missing} are"
    return path.format(**values)


def test_every_page_and_route_states_its_permission(installation: Installation) -> None:
    pages = pages_of(installation)
    unsaid = [path for _, path, permission in routes(pages, "GET", "POST") if permission is None]
    assert sorted(set(unsaid)) == sorted(OPEN)
    every = routes(installation.app, "GET", "POST", "PUT", "DELETE")
    unsaid = [path for _, path, permission in every if permission is None]
    public = ("/health/live", "/health/ready", "/api/triggers/webhook/{trigger_id}")
    assert sorted(set(unsaid)) == sorted(public)


def test_the_pages_are_open_to_the_scopes_of_the_table(
    client: TestClient,
    installation: Installation,
    key: Making,
    browsing: Browsing,
) -> None:
    values = dict.fromkeys(
        ("execution_id", "key_id", "schedule_id", "alert_id", "webhook_id", "batch_id"),
        "0192f0c1-0000-7000-8000-000000000000",
    )
    values |= {"approval_id": f"{values['execution_id']}:ask:1", "verdict": "approve", "step": "ask"}
    values |= {"event_id": f"{values['execution_id']}:1", "template_id": "bundled:content-review"}
    values |= {"name": "writer", "process": "held", "version": "1", "kind": "timeout"}
    values |= {"act": "build", "projection": "approvals", "position": "1", "digest": "0" * 64}
    shown = {scope.value: (key(scope.value), GRANTS[scope]) for scope in KeyScope}
    shown["agent"] = (key("agent:writer", name="writer"), AGENT_GRANTS)
    pages = pages_of(installation)
    browser = browsing(pages)
    guarded = [each for each in routes(pages, "GET", "POST") if each[1] not in OPEN]
    assert len(guarded) > 10
    for scope, (header, granted) in shown.items():
        for method, path, permission in guarded:
            status = browser.request(method, filled(path, values), headers=header | FORM).status_code
            assert (status == 403) == (permission not in granted), (scope, method, path, status)
    for method, path, _ in guarded:
        answer = browser.request(method, filled(path, values), headers=FORM)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in"), path
    for path in ("/openapi.json", "/metrics", "/api/schema"):
        assert browser.get(path).status_code == 401, path
    sent = browser.get("/docs")
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=%2Fdocs")
    for path in ("/health/live", "/health/ready", "/sign-in", "/static/app.css"):
        assert browser.get(path).status_code == 200, path


def test_no_query_and_no_page_shows_a_sensitive_value(
    client: TestClient,
    installation: Installation,
    root: Shown,
    key: Making,
    browsing: Browsing,
) -> None:
    client.headers.update(root)
    for source in (CALLED, HELD):
        installation.publish(client, source, writer={"script": "echo"})
    started = client.post("/api/processes/held/executions", json={"input": {"ssn": SECRET}}).json()
    id = UUID(started["execution_id"])
    installation.answer(id, "work", Failed(StepError("bad", f"not {SECRET}", permanent=True)))
    digest = "f" * 64
    with installation.datastore.reading() as connection:
        connection.execute(
            "insert into set_aside (execution_id, error, next_try) values (%s, %s, now())",
            (id, f"ValueError: {SECRET}"),
        )
        connection.execute(
            "insert into dead_letters (projection, position, error) select 'execution_list', max(notification_id), %s "
            "from stored_events where originator_id = %s",
            (f"ValueError: {SECRET}", id),
        )
        large_results.keep(connection, id, bytes.fromhex(digest), f'"{SECRET}"'.encode())
    end = installation.project()
    for header in root:
        del client.headers[header]
    reader = key("viewer", "operator", "designer", name="reader")
    pages = pages_of(installation)
    browser = browsing(pages)
    values = {"execution_id": str(id), "approval_id": f"{id}:ask:1", "process": "held", "version": "1"}
    values |= {"name": "writer", "step": "work", "kind": "wait", "event_id": f"{id}:1", "webhook_id": str(id)}
    values |= {"projection": "execution_list", "position": str(end), "digest": digest}
    values["schedule_id"] = str(schedule_id(process_id("held"), "nightly"))
    values["alert_id"], values["template_id"] = str(id), "bundled:content-review"
    batch = client.post("/api/batches", json={"act": "cancel", "filter": {"process": "held"}}, headers=root).json()
    installation.project()
    values["batch_id"] = batch["batch_id"]
    seen: dict[str, str] = {}
    for app in (installation.app, pages):
        for _, path, permission in routes(app, "GET"):
            if path == "/api/stream" or permission not in GRANTS[KeyScope.VIEWER]:
                continue
            for query in (
                "",
                "?step=work",
                "?step=ask",
                f"?as_of={end}",
                f"?from=1&to={end}",
                "?include_children=true",
            ):
                answer = browser.get(filled(path, values) + query, headers=reader)
                assert answer.status_code in (200, 303, 400, 404, 422), (path, query, answer.text)
                assert SECRET.lower() not in answer.text.lower(), path + query
                if answer.status_code == 200:
                    seen[path] = seen.get(path, "") + answer.text
    showing = ["/", "/executions/{execution_id}", "/operations", "/operations/dead-letters", "/operations/set-aside"]
    showing += ["/operations/dead-letters/{projection}/{position}"]
    showing += [
        f"/api/{name}" for name in ("approvals", "dead-letters", "events", "executions", "projections", "set-aside")
    ]
    for path in showing:
        assert "•••" in seen[path], path
    whole = "/api/executions/{execution_id}/results/{digest}"
    for path in ("/api/executions/{execution_id}", whole, "/api/set-aside", "/api/events"):
        assert SECRET in browser.get(filled(path, values) + "?limit=200" * path.endswith("events"), headers=root).text
