"""When cost alerts end, and when they do not: of an execution, of windows, and of what is corrected."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from commands.alerts import AcknowledgeCostAlert, DismissCostAlert
from commands.cost_thresholds import ClearCostThreshold, SetCostThresholds, WrittenLevel
from commands.processes import ArchiveProcess
from domain.event import record
from domain.executions.events.cost import CostCorrected, CostRecorded
from domain.money import Money
from store.unit import Unit
from tests.scheduler.policed import Policed

RESTING = """
name: spender
steps:
  - {id: work, type: agent_task, agent: writer, message: x}
  - {id: rest, type: timer, duration: 1d, depends_on: work}
"""
ENDING = """
name: spender
steps: [{id: work, type: agent_task, agent: writer, message: x}]
costs: {per_execution: {amount: "0.02", currency: USD}}
"""
KINDS = ["daily", "per_execution", "weekly"]
CENT = Decimal("0.01")


def thresholds(id: UUID, amount: str, *kinds: str) -> SetCostThresholds:
    return SetCostThresholds(id, **{kind: [WrittenLevel(amount, "USD")] for kind in kinds})


def kinds_of(policed: Policed, status: str) -> list[str]:
    policed.alerts_now()
    rows = policed.rows("select kind from cost_alert_list where status = %s order by kind", status)
    return [row["kind"] for row in rows]


def test_an_alert_of_an_execution_outlives_it_until_a_user_dismisses_it(policed: Policed) -> None:
    # given an execution whose last step reaches its amount
    policed.publish(ENDING)
    policed.police()
    policed.worker()
    policed.spend("spender")

    # then its alert is open though it has ended, and stays acknowledged
    assert policed.statuses() == ["open"]
    (row,) = policed.rows("select alert_id from cost_alert_list")
    policed.alerts.acknowledge(AcknowledgeCostAlert(row["alert_id"], "seen"), policed.cause)
    policed.spend("spender")
    policed.until(lambda: sorted(policed.statuses()) == ["acknowledged", "open"])

    # when it is dismissed, then it is over
    policed.alerts.dismiss(DismissCostAlert(row["alert_id"], ""), policed.cause)
    policed.until(lambda: sorted(policed.statuses()) == ["dismissed", "open"])


def test_every_kind_lowered_below_its_total_raises_at_once_and_ends_when_cleared_or_archived(policed: Policed) -> None:
    # given an execution that has spent 0.02 and goes on, and one that has spent as much and has ended
    id = policed.publish(RESTING)
    policed.police()
    policed.worker()
    running, ended = policed.start("spender"), policed.start("spender")
    policed.until(lambda: policed.count("CostRecorded") == 2)
    policed.cancel(ended)
    policed.ended(ended)
    policed.cost_thresholds.set(thresholds(id, "0.05", *KINDS), policed.cause)
    assert policed.alerts_now() == []

    # when each threshold is lowered to a total, then each raises at once: of executions, only for the one that runs
    policed.cost_thresholds.set(thresholds(id, "0.02", *KINDS), policed.cause)
    assert policed.alerts_now() == [
        ("spender", "daily", "alert", 4 * CENT, 4 * CENT),
        ("spender", "per_execution", "alert", 2 * CENT, 2 * CENT),
        ("spender", "weekly", "alert", 4 * CENT, 4 * CENT),
    ]
    (of_execution,) = policed.rows("select execution_id from cost_alert_list where kind = 'per_execution'")
    assert of_execution["execution_id"] == running

    # when one kind after the other is cleared, then its alert is resolved, and those of the others stay
    for n, kind in enumerate(KINDS):
        policed.cost_thresholds.clear(ClearCostThreshold(id, kind), policed.cause)
        policed.until(lambda n=n: kinds_of(policed, "resolved") == KINDS[: n + 1])
        assert kinds_of(policed, "open") == KINDS[n + 1 :]
    assert [row["reason"] for row in policed.rows("select distinct reason from cost_alert_list")] == [
        "threshold_cleared"
    ]

    # when all are set again and the process is archived, then the alerts that this raised are resolved too
    policed.cost_thresholds.set(thresholds(id, "0.02", *KINDS), policed.cause)
    policed.until(lambda: kinds_of(policed, "open") == KINDS)
    policed.processes.archive(ArchiveProcess(id, "over"), policed.cause)
    policed.until(lambda: kinds_of(policed, "open") == [])
    assert kinds_of(policed, "resolved") == sorted(KINDS * 2)


def test_a_late_cost_alerts_for_its_window_and_a_correction_leaves_that_one_alone(policed: Policed) -> None:
    # given a threshold for a day, and an execution that has spent nothing of it yet
    id = policed.publish(RESTING)
    policed.cost_thresholds.set(thresholds(id, "5", "daily"), policed.cause)
    policed.police()
    policed.worker()
    run = policed.start("spender")
    policed.until(lambda: policed.count("CostRecorded") == 1)
    yesterday = datetime.now(UTC) - timedelta(days=1)

    def book(kind: Any, **facts: Any) -> int:
        events = policed.log.stream(run)
        given = {"step": "work", "attempt": 1, "called_at": yesterday} | facts
        policed.log.append(Unit(run, len(events), [record(kind, policed.cause, **given)]))
        return len(events) + 1

    # when a cost of yesterday is booked today, then it alerts for yesterday
    booked = book(CostRecorded, agent="writer", usage=None, cost=Money(Decimal(6), "USD"))
    assert policed.alerts_now() == [("spender", "daily", "alert", Decimal(0), Decimal(6))]
    assert policed.rows("select late, status from cost_alert_list") == [{"late": 1, "status": "open"}]

    # when it is corrected, then the closed window is left alone, and raises nothing more
    six, nothing = Money(Decimal(6), "USD"), Money(Decimal(0), "USD")
    book(CostCorrected, recorded=booked, reason="test", before=six, after=nothing)
    book(CostCorrected, recorded=booked, reason="test", before=nothing, after=six)
    book(CostRecorded, agent="writer", usage=None, cost=Money(Decimal(1), "USD"))
    assert len(policed.alerts_now()) == 1
    assert policed.rows("select status, from_correction, after from cost_alert_list") == [
        {"status": "open", "from_correction": 0, "after": Decimal(6)}
    ]
    assert policed.count("CostAlertResolved") == 0
