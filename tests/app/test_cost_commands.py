"""`procession costs`: costs, prices, thresholds and alerts, as an operator uses them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.wiring import Wiring
from tests.waiting import until

Run = Callable[..., Any]

PROCESS = "name: paid\nsteps:\n  - {id: work, agent: worker, message: hi}\n"


def test_a_cost_reaches_a_threshold_and_its_alert_is_dealt_with(
    document: Run, procession: Run, working: Wiring, tmp_path: Path
) -> None:
    file = tmp_path / "paid.yaml"
    file.write_text(PROCESS)
    agent = tmp_path / "worker.yaml"
    agent.write_text('kind: scripted\nscript: echo\ncost: {amount: "0.30", currency: USD}\n')
    document("agents", "register", "worker", str(agent))
    document("publish", str(file))
    asked = ("--kind", "per_execution", "--amount", "0.25")
    would = document("costs", "set-threshold", "paid", *asked, "--dry-run")
    assert [each["type"] for each in would["would_record"]] == ["CostThresholdSet"]
    assert document("costs", "set-threshold", "paid", *asked, "--warn-at", "0.8")["new"]
    assert not document("costs", "set-threshold", "paid", *asked, "--warn-at", "0.8")["new"]
    assert document("costs", "thresholds", "paid")["per_execution"][0]["amount"] == "0.25"

    started = document("start", "paid", "--wait")
    spent = [{"amount": "0.30", "currency": "USD"}]
    until(lambda: document("costs", "show", started["execution_id"])["total"]["own"] == spent)
    found: list[Any] = []

    def raised() -> bool:
        found[:] = document("costs", "alerts", "--process", "paid")["items"]
        return len(found) == 2

    until(raised)
    assert {each["rule"]["level"] for each in found} == {"warning", "alert"}
    first, second = (each["alert_id"] for each in found)
    assert document("costs", "acknowledge", first, "--note", "seen")["new"]
    assert document("costs", "snooze", first, "--until", "2999-01-01T00:00:00Z")["new"]
    assert document("costs", "dismiss", second)["new"]
    assert procession("costs", "snooze", second, "--until", "tomorrow").exit_code == 2
    assert document("costs", "clear-threshold", "paid", "--kind", "per_execution")["new"]
    simulated = document("costs", "simulate", "paid", *asked, "--days", "1")
    assert simulated["count"] == 1
