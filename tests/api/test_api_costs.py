"""Costs over HTTP: by step and attempt, unpriced uses, prices, and costs priced anew."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from domain.agents.calls import Completed, Failed, StepError
from domain.money import Money
from gateway.usage.ours import measure_ours
from projections.costs import CostsProjection
from projections.rebuilding import build_and_switch

REPORT = {"input_tokens": 1_000_000, "output_tokens": 100_000, "cache_read_tokens": 200_000, "model": "m"}
PRICE = {
    "provider": "house",
    "model": "m",
    "valid_from": "2020-01-01T00:00:00Z",
    "currency": "USD",
    "per_million": {"input": "3", "cache_read": "0.30", "output": 15},
}
# 0.8 × 3 + 0.2 × 0.30 + 0.1 × 15
AMOUNT = "3.96"
PERIOD = {"model": "m", "from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "reason": "the price was missing"}


def completed(report: dict[str, Any], **facts: Any) -> Completed:
    usage, metered = measure_ours(report)
    return Completed("hi", usage, metered=metered, **facts)


@pytest.fixture(autouse=True)
def writer(client: TestClient, start: Any) -> None:
    body = {"kind": "http", "url": "https://agents.example/", "provider": "house"}
    assert client.put("/api/agents/writer", json=body).status_code == 200


def costs(client: TestClient, installation: Any, id: UUID) -> Any:
    installation.project()
    answer = client.get(f"/api/executions/{id}/costs")
    assert answer.status_code == 200, answer.text
    return answer.json()


def add(client: TestClient, **facts: Any) -> Any:
    answer = client.post("/api/prices", json=PRICE | facts)
    assert answer.status_code == 201, answer.text
    return answer.json()


def reprice(client: TestClient, installation: Any, **facts: Any) -> Any:
    installation.project()
    answer = client.post("/api/costs/reprice", json=PERIOD | facts)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_use_is_priced_by_the_operators_price_and_shown_by_attempt(
    client: TestClient, installation: Any, start: Any
) -> None:
    add(client)
    id = start()
    installation.answer(id, "greet", completed(REPORT | {"usage_id": "u-1"}))
    seen = costs(client, installation, id)
    amount = [{"amount": AMOUNT, "currency": "USD"}]
    assert (seen["total"]["own"], seen["total"]["unpriced"], seen["partial"]) == (amount, 0, False)
    (step,) = seen["steps"]
    assert (step["total"], step["success"], step["without_success"]) == (amount, amount, [])
    (use,) = step["attempts"]
    assert (use["provider"], use["model"], use["price_source"]) == ("house", "m", "override")
    assert (use["amount"], use["currency"], use["retry"], use["outcome"]) == (AMOUNT, "USD", False, "completed")
    assert use["tokens"] == {
        "input": 800_000,
        "cache_read": 200_000,
        "cache_write_5m": 0,
        "cache_write_1h": 0,
        "output": 100_000,
        "reasoning": 0,
    }
    assert use["unit_prices"]["per_million"]["output"] == "15"
    assert client.get("/api/prices").json()["items"][0]["per_million"]["cache_read"] == "0.30"


def test_public_prices_apply_where_the_operator_has_none(client: TestClient, installation: Any, start: Any) -> None:
    id = start()
    report = {"input_tokens": 1000, "output_tokens": 100, "provider": "openai", "model": "gpt-4o-2024-08-06"}
    installation.answer(id, "greet", completed(report))
    use = costs(client, installation, id)["steps"][0]["attempts"][0]
    assert (use["amount"], use["price_source"]) == ("0.0035", "genai-prices 0.2.3")


def test_a_reported_cost_counts_and_the_calculated_one_is_shown(
    client: TestClient, installation: Any, start: Any
) -> None:
    add(client)
    id = start()
    installation.answer(id, "greet", completed(REPORT, cost=Money(Decimal("1.5"), "EUR")))
    use = costs(client, installation, id)["steps"][0]["attempts"][0]
    assert (use["amount"], use["currency"], use["price_source"]) == ("1.5", "EUR", "reported")
    assert use["calculated"] == {"amount": AMOUNT, "currency": "USD"}


def test_the_cost_of_a_failure_stands_apart(client: TestClient, installation: Any, start: Any) -> None:
    add(client)
    id = start()
    usage, metered = measure_ours(REPORT)
    installation.answer(id, "greet", Failed(StepError("agent_error", "no"), usage, metered=metered))
    (step,) = costs(client, installation, id)["steps"]
    assert (step["success"], step["without_success"]) == ([], [{"amount": AMOUNT, "currency": "USD"}])


def test_what_has_no_price_is_partial_listed_and_priced_anew(client: TestClient, installation: Any, start: Any) -> None:
    id = start()
    installation.answer(id, "greet", completed(REPORT))
    seen = costs(client, installation, id)
    assert (seen["total"]["own"], seen["total"]["unpriced"], seen["partial"]) == ([], 1, True)
    assert seen["steps"][0]["attempts"][0]["amount"] is None
    (listed,) = client.get("/api/costs/unpriced").json()["items"]
    assert (listed["provider"], listed["model"], listed["flags"]) == ("house", "m", ["price_missing"])
    assert (listed["count"], listed["execution_id"], listed["step"]) == (1, str(id), "greet")

    add(client)
    rehearsed = reprice(client, installation, dry_run=True)
    expected = [{"amount": AMOUNT, "currency": "USD"}]
    assert (rehearsed["corrected"], rehearsed["old"], rehearsed["new"]) == (1, [], expected)
    assert costs(client, installation, id)["partial"]
    done = reprice(client, installation)
    assert (done["difference"], done["items"]) == (expected, rehearsed["items"])

    seen = costs(client, installation, id)
    assert (seen["total"]["own"], seen["partial"]) == (expected, False)
    (use,) = seen["steps"][0]["attempts"]
    assert (use["amount"], use["booked"], use["price_source"]) == (AMOUNT, None, "override")
    (correction,) = use["corrections"]
    assert (correction["reason"], correction["before"], correction["after"]) == (PERIOD["reason"], None, expected[0])
    assert client.get("/api/costs/unpriced").json()["items"] == []
    listed = client.get("/api/executions").json()["items"][0]
    detail = client.get(f"/api/executions/{id}").json()
    assert (listed["cost"], detail["cost"]["own"], detail["steps"][0]["cost"]) == (expected, expected, expected)
    assert detail["steps"][0]["attempt_list"][0]["cost"] == expected
    again = reprice(client, installation)
    assert (again["corrected"], again["duplicate"]) == (0, True)

    add(client, per_million={"input": "1", "output": "0"})
    down = reprice(client, installation)
    assert (down["old"], [Decimal(each["amount"]) for each in down["new"]]) == (expected, [1])
    assert [Decimal(each["amount"]) for each in down["difference"]] == [Decimal("-2.96")]
    assert [Decimal(each["amount"]) for each in costs(client, installation, id)["total"]["own"]] == [1]


def test_a_model_of_an_unknown_provider_can_be_given_a_price(client: TestClient, installation: Any, start: Any) -> None:
    assert client.put("/api/agents/writer", json={"kind": "http", "url": "https://agents.example/"}).is_success
    id = start()
    installation.answer(id, "greet", completed(REPORT))
    assert costs(client, installation, id)["steps"][0]["attempts"][0]["flags"] == ["provider_unknown"]
    add(client, provider="")
    assert reprice(client, installation)["corrected"] == 1


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, {"provider", "model", "valid_from", "currency"}),
        (PRICE | {"per_million": {"inputs": 1}}, {"per_million"}),
        (PRICE | {"per_million": {"input": "1e400"}}, {"per_million"}),
        (PRICE | {"per_million": {"input": "-1"}}, {"per_million.input"}),
        (PRICE | {"per_million": {}}, {"per_million"}),
        (PRICE | {"valid_to": "2019-01-01T00:00:00Z"}, {"valid_to"}),
        (PRICE | {"currency": "usd"}, {"currency"}),
    ],
)
def test_every_problem_of_a_price_is_named(client: TestClient, body: Any, paths: set[str]) -> None:
    answer = client.post("/api/prices", json=body)
    assert answer.status_code == 422, answer.text
    assert {problem["path"] for problem in answer.json()["problems"]} == paths


def test_prices_are_paged_and_the_same_again_is_a_duplicate(client: TestClient) -> None:
    for day in ("01", "02", "03"):
        add(client, valid_from=f"2026-01-{day}T00:00:00Z")
    assert add(client, valid_from="2026-01-03T00:00:00Z")["duplicate"]
    first = client.get("/api/prices", params={"limit": 2}).json()
    rest = client.get("/api/prices", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    days = [item["valid_from"][:10] for item in (*first["items"], *rest["items"])]
    assert days == ["2026-01-03", "2026-01-02", "2026-01-01"]


def test_rebuilt_rows_are_the_same(client: TestClient, installation: Any, start: Any) -> None:
    id = start()
    installation.answer(id, "greet", completed(REPORT))
    installation.project()
    add(client)
    reprice(client, installation)
    before = costs(client, installation, id)

    def rows() -> list[Any]:
        with installation.datastore.reading() as connection:
            return connection.execute("select * from call_costs order by 1, 2").fetchall()

    kept = rows()
    assert [Decimal(row["amount"]) for row in kept] == [Decimal(AMOUNT)]
    build_and_switch(installation.datastore, CostsProjection(), lambda done, total: None)
    assert (rows(), costs(client, installation, id)) == (kept, before)
