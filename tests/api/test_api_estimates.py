"""Estimates over HTTP: of what is still to come, and how good they were; and what a process spends."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from starlette.testclient import TestClient

from domain.agents.calls import Completed
from domain.money import Money
from gateway.usage.ours import measure_ours
from projections.cost_ledger import CostLedgerProjection
from projections.rebuilding import build_and_switch

CALLER = """
name: caller
steps:
  - {id: call, type: sub_process, process: greeting, input_mapping: {name: Ann}}
"""
UNKNOWN = {"input_tokens": 10, "output_tokens": 5, "model": "m", "provider": "house"}


def usd(amount: str) -> list[dict[str, str]]:
    return [{"amount": amount, "currency": "USD"}]


def run(installation: Any, id: UUID, amount: str) -> None:
    """An execution whose first step costs so much, and whose second costs nothing."""
    installation.answer(id, "greet", Completed("hi", cost=Money(Decimal(amount), "USD")))
    installation.answer(id, "check", Completed("good"))


def read(client: TestClient, installation: Any, path: str) -> Any:
    installation.project()
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_is_still_to_come_is_estimated_from_five_runs_on(
    client: TestClient, installation: Any, start: Any
) -> None:
    # given an execution that has not begun its first step
    running = start()
    detail = f"/api/executions/{running}"
    assert [step["estimate"] for step in read(client, installation, detail)["steps"]] == [None, None]

    # when others complete that step, then its estimate says first how many, and from five on how much
    seen = []
    for amount in ("1", "2", "3", "4", "50"):
        done = start()
        run(installation, done, amount)
        seen.append(read(client, installation, detail)["steps"][0]["estimate"])
    assert seen[:4] == [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}]
    assert seen[4] == {"n": 5, "basis": "version", "median": usd("3"), "p90": usd("50")}
    costs = read(client, installation, f"/api/executions/{running}/costs")
    assert costs["still_to_come"] == [
        {"step": "greet", "n": 5, "basis": "version", "median": usd("3"), "p90": usd("50")}
    ]
    assert costs["total"]["own"] == []

    # and an execution that has ended has none
    assert [step["estimate"] for step in read(client, installation, f"/api/executions/{done}")["steps"]] == [None, None]
    assert read(client, installation, f"/api/executions/{done}/costs")["still_to_come"] == []


def test_estimates_are_compared_with_what_the_runs_then_cost(client: TestClient, installation: Any, start: Any) -> None:
    # given five runs to go by, one at the median, one below the amount of 9 in 10, and one above it
    for amount in ("1", "2", "3", "4", "5", "3", "4", "9"):
        run(installation, start(), amount)

    # then the three are compared with the estimates before them
    found = read(client, installation, "/api/processes/greeting/costs")
    (record,) = found["estimates"]
    assert record == {
        "step": "greet",
        "estimate": {"n": 8, "basis": "version", "median": usd("3"), "p90": usd("9")},
        "compared": 3,
        "within_median": 1,
        "within_p90": 2,
        "off_by": usd("1"),
    }

    # and the process has spent it all today, by that step
    assert [day["spent"] for day in found["days"]] == [[]] * 30 + [usd("31")]
    assert found["dearest"] == [{"process": "greeting", "step": "greet", "amount": "31", "currency": "USD", "costs": 8}]
    assert found["limits"] == []

    # and rebuilt rows say the same
    build_and_switch(installation.datastore, CostLedgerProjection(), lambda done, total: None)
    rebuilt = read(client, installation, "/api/processes/greeting/costs")
    assert {**rebuilt, "lag_seconds": 0} == {**found, "lag_seconds": 0}


def test_a_run_without_a_price_is_in_no_estimate(client: TestClient, installation: Any, start: Any) -> None:
    usage, metered = measure_ours(UNKNOWN)
    for _ in range(6):
        installation.answer(start(), "greet", Completed("hi", usage, metered=metered))
    found = read(client, installation, "/api/processes/greeting/costs")
    assert (found["estimates"], found["days"][-1]["spent"], found["days"][-1]["unpriced"]) == ([], [], 6)


def test_limits_have_what_their_present_windows_have_spent(client: TestClient, installation: Any, start: Any) -> None:
    level = {"amount": "10", "currency": "USD", "warn_at": 0.8}
    body = {"daily": [level], "weekly": [level], "per_execution": [level], "timezone": "Asia/Kathmandu"}
    assert client.put("/api/processes/greeting/cost-thresholds", json=body).status_code == 200
    run(installation, start(), "2.5")
    found = read(client, installation, "/api/processes/greeting/costs")
    assert [(each["kind"], each["total"], each["levels"]) for each in found["limits"]] == [
        ("daily", "2.5", [level]),
        ("weekly", "2.5", [level]),
    ]
    assert (found["timezone"], found["days"][-1]["window"]) == ("Asia/Kathmandu", found["limits"][0]["window"])


def test_what_called_executions_used_without_a_price_is_counted_above(
    client: TestClient, installation: Any, start: Any, worker: Any
) -> None:
    # given a caller whose child calls a model without a price twice
    reports = {"script": "echo", "provider": "house", "usage": {"input_tokens": 10, "output_tokens": 5, "model": "m"}}
    installation.publish(client, CALLER, writer=reports)
    parent = installation.begin(client, "caller")
    path = f"/api/executions/{parent}"
    installation.until(lambda: read(client, installation, path)["status"] == "completed")

    # then both count the two, and are partial
    found = read(client, installation, path)
    child = found["steps"][0]["children"][0]["execution_id"]
    for id in (parent, child):
        assert read(client, installation, f"/api/executions/{id}")["cost"]["unpriced"] == 2
        assert read(client, installation, f"/api/executions/{id}/costs")["partial"]
