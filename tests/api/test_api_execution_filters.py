"""Filters of executions by error, steps and cost, and the order by cost: what the figures of analytics link to."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from domain.agents.calls import Answer, Completed, Failed, StepError
from domain.money import Money
from scheduler.worker import Worker
from tests.api.conftest import Installation

CALLED = "name: called\nsteps:\n  - {id: work, agent: writer, message: go}\n"
CALLING = "name: calling\nsteps:\n  - {id: call, type: sub_process, process: called}\n"


def costing(*amounts: tuple[str, str]) -> Completed:
    [(amount, currency)] = amounts
    return Completed("hi", cost=Money(Decimal(amount), currency))


def failing(code: str) -> Failed:
    return Failed(StepError(code, "no", permanent=True))


@pytest.fixture
def ran(client: TestClient, installation: Installation, start: Callable[..., UUID]) -> dict[str, str]:
    """Return executions by a name: of different costs, completed, failed at either step, and one that runs."""
    stories: dict[str, list[tuple[str, Answer]]] = {
        "cheap": [("greet", costing(("1", "USD"))), ("check", costing(("2", "USD")))],
        "dear": [("greet", costing(("20", "USD"))), ("check", costing(("5", "EUR")))],
        "free": [("greet", Completed("hi")), ("check", Completed("hi"))],
        "first": [("greet", failing("refused"))],
        "second": [("greet", costing(("3", "USD"))), ("check", failing("refused"))],
        "other": [("greet", failing("http_400"))],
        "runs": [],
    }
    ids = {}
    for name, answers in stories.items():
        ids[name] = str(start())
        for step, answer in answers:
            installation.answer(UUID(ids[name]), step, answer)
    installation.project()
    return ids


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"failure": "refused"}, {"first", "second"}),
        ({"failure": "refused,http_400"}, {"first", "second", "other"}),
        ({"failure": "refused", "failed_step": "check"}, {"second"}),
        ({"failed_step": "greet"}, {"first", "other"}),
        ({"failed_step": "no-such"}, set()),
        ({"ran_step": "greet"}, {"cheap", "dear", "free", "second"}),
        ({"ran_step": "check", "status": "completed"}, {"cheap", "dear", "free"}),
        ({"failed_step": "-"}, set()),
        ({"paid_step": "greet"}, {"cheap", "dear", "second"}),
        ({"paid_step": "check", "currency": "USD"}, {"cheap"}),
        ({"cost": "priced"}, {"cheap", "dear", "second"}),
        ({"cost": "priced", "currency": "EUR"}, {"dear"}),
        ({"cost": "any"}, {"cheap", "dear", "second"}),
        ({"cost": "unpriced"}, set()),
    ],
)
def test_a_filter_finds_exactly_its_executions(
    client: TestClient, ran: dict[str, str], filters: dict[str, str], expected: set[str]
) -> None:
    answer = client.get("/api/executions", params=filters)
    assert answer.status_code == 200, answer.text
    assert {each["execution_id"] for each in answer.json()["items"]} == {ran[name] for name in expected}


def test_the_dearest_come_first_page_by_page(client: TestClient, ran: dict[str, str]) -> None:
    found: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = client.get("/api/executions", params={"order": "-cost", "limit": 1} | cursor).json()
        found += [each["execution_id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    # Equal costs: the newest first.
    assert found == [ran["dear"], ran["second"], ran["cheap"]]
    in_euros = client.get("/api/executions?order=-cost&currency=EUR").json()["items"]
    assert [each["execution_id"] for each in in_euros] == [ran["dear"]]


def test_the_cost_of_a_tree_counts_for_its_root(client: TestClient, installation: Installation, worker: Worker) -> None:
    cost = {"amount": "7", "currency": "USD"}
    installation.publish(client, CALLED, writer={"script": "echo", "cost": cost})
    installation.publish(client, CALLING)
    root = str(installation.begin(client, "calling"))

    def ended() -> bool:
        installation.project()
        return bool(client.get(f"/api/executions/{root}").json()["ended_at"])

    def processes(**filters: Any) -> set[str]:
        answer = client.get("/api/executions", params=filters)
        return {each["process"] for each in answer.json()["items"]}

    installation.until(ended)
    assert processes(cost="priced") == {"calling"}
    assert processes(cost="priced", include_children=True) == {"called"}
