"""Cost alerts on a real database: raised once by the event that crosses, by however many processes."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from commands.alerts import AcknowledgeCostAlert
from commands.cost_thresholds import SetCostThresholds, WrittenLevel
from commands.processes import ArchiveProcess, PublishProcess, ReviseProcess
from commands.thresholds import register_upgraded_thresholds
from domain.alerts.alert import fold
from domain.event import Cause, record
from domain.executions.events.cost import CostCorrected, CostRecorded
from domain.identity import process_id, thresholds_id
from domain.money import Money
from projections.cost_alerts import CostAlertsProjection
from projections.cost_ledger import CostLedgerProjection
from projections.rebuilding import rebuild
from projections.verifying import verify
from store.columns import Columns
from store.lists.standing_alerts import STANDING_ALERTS
from store.recorder import LogRecorder
from store.unit import Unit
from tests.scheduler.policed import Policed

SPENDER = """
name: spender
steps:
  - {id: work, type: agent_task, agent: writer, message: x}
"""
DAILY = SPENDER + 'costs: {daily: {amount: "0.05", currency: USD, warn_at: 0.8}}'
EACH = SPENDER + 'costs: {per_execution: {amount: "0.02", currency: USD, on_alert: cancel_execution}}'
CALLER = """
name: caller
steps:
  - {id: call, type: sub_process, process: spender}
costs: {daily: {amount: "0.02", currency: USD}, per_execution: {amount: "0.02", currency: USD}}
"""


LISTED = """
name: listed
steps:
  - id: each
    type: sub_process
    for_each: {items: [1, 2, 3, 4]}
    steps: [{id: work, type: agent_task, agent: writer, message: x}]
costs: {daily: {amount: "0.03", currency: USD}, per_execution: {amount: "0.01", currency: USD}}
"""


def test_many_workers_that_cross_at_once_raise_one_alert(policed: Policed) -> None:
    # given two policies, and three workers
    policed.publish(DAILY)
    for _ in range(2):
        policed.police()
    for _ in range(3):
        policed.worker()

    # when twenty executions spend at once
    policed.spend(*["spender"] * 20)

    # then each level is raised once, by the event that reaches it
    cent = Decimal("0.01")
    expected = [
        ("spender", "daily", "alert", 4 * cent, 6 * cent),
        ("spender", "daily", "warning", 2 * cent, 4 * cent),
    ]
    assert policed.alerts_now() == expected
    (row,) = policed.rows("select contributors::text as c from cost_alert_list where level = 'alert'")
    assert row["c"] == '[{"process":"spender","step":"work","amount":"0.06","costs":3}]'

    # and a policy that begins anew raises nothing again
    policed.ending.close()
    policed.rows("update policy_positions set position = 0")
    policed.police()
    assert policed.alerts_now() == expected
    assert policed.count("CostAlertRaised") == 2
    assert STANDING_ALERTS.verify(policed.datastore, lambda *_: None).differing == 0


def test_costs_count_for_every_execution_above_once_a_rule(policed: Policed) -> None:
    # given a process with thresholds that calls one without
    policed.publish(SPENDER)
    policed.publish(CALLER)
    policed.police()
    policed.worker()

    # when the called one spends
    policed.spend("caller")

    # then the thresholds of the caller are reached
    reached = Decimal(0), Decimal("0.02")
    assert policed.alerts_now() == [
        ("caller", "daily", "alert", *reached),
        ("caller", "per_execution", "alert", *reached),
    ]


def test_thresholds_lowered_raised_cleared_and_replaced(policed: Policed) -> None:
    # given costs of 0.04 below a threshold
    id = policed.publish(SPENDER + 'costs: {daily: {amount: "1", currency: USD}}')
    policed.police()
    policed.worker()
    policed.spend("spender", "spender")
    assert policed.alerts_now() == []

    # when it is lowered below the total, then an alert is raised at once
    def set_to(amount: str) -> None:
        command = SetCostThresholds(id, daily=[WrittenLevel(amount, "USD")])
        policed.cost_thresholds.set(command, policed.cause)

    set_to("0.04")
    assert policed.alerts_now() == [("spender", "daily", "alert", Decimal("0.04"), Decimal("0.04"))]
    assert policed.statuses() == ["open"]

    # when it is raised above it, then the alert is resolved
    set_to("0.05")
    policed.until(lambda: policed.statuses() == ["resolved"])

    # when a version is published with other costs, then its answer says that it replaced the threshold
    policed.processes.revise(ReviseProcess(id, DAILY), policed.cause)
    receipt = policed.processes.publish(PublishProcess(id), policed.cause)
    assert receipt.facts["thresholds_replaced"] is True
    policed.until(lambda: policed.statuses() == ["resolved", "open"])

    # when the process is archived, then nothing is open
    policed.processes.archive(ArchiveProcess(id, "over"), policed.cause)
    policed.until(lambda: policed.statuses() == ["resolved", "resolved"])


def test_an_execution_that_reaches_its_amount_is_cancelled(policed: Policed) -> None:
    # given an execution that goes on after its first cost
    policed.agent("slow", script="slow", delay="10m")
    policed.publish(
        EACH.replace("message: x}", "message: x}\n  - {id: rest, agent: slow, message: y, depends_on: work}")
    )
    policed.police()
    policed.worker()

    # when that cost reaches the amount
    id = policed.start("spender")

    # then it is cancelled, and the alert says so
    (execution,) = policed.ended(id)
    assert execution.status == "cancelled"
    policed.until(lambda: [row["acted"] for row in policed.rows("select acted from cost_alert_list")] == [1])


def test_an_acknowledged_alert_is_resolved_when_its_window_ends(policed: Policed) -> None:
    # given an acknowledged alert
    policed.publish(DAILY)
    policed.police()
    policed.worker()
    policed.spend("spender", "spender")
    policed.alerts_now()
    (row,) = policed.rows("select alert_id from cost_alert_list")
    policed.alerts.acknowledge(AcknowledgeCostAlert(row["alert_id"], "seen"), policed.cause)

    # when its window is over, by the list
    policed.rows("update standing_alerts set resolves_at = now() - interval '1 second'")

    # then it is resolved
    policed.until(lambda: policed.statuses() == ["resolved"])
    alert = fold(policed.log.stream(row["alert_id"]))
    assert alert is not None
    assert alert.reason == "window_ended"


def test_thresholds_of_versions_published_before_count_from_now_on(policed: Policed) -> None:
    # given a version that an earlier release published, and costs before the upgrade
    policed.publish(DAILY)
    stream = thresholds_id(process_id("spender"))
    policed.rows("delete from stored_events where originator_id = %s", stream)
    # The projector may have read the events before they were gone.
    rebuild(policed.datastore, CostLedgerProjection(), lambda _done, _total: None)
    policed.police()
    policed.worker()
    policed.spend(*["spender"] * 5)

    # when the upgrade registers its thresholds, twice
    cause = Cause(datetime.now(UTC), "system:upgrade")
    assert [register_upgraded_thresholds(policed.log, cause) for _ in range(2)] == [1, 0]

    # then only what is spent from then on counts
    assert policed.alerts_now() == []
    policed.spend("spender", "spender")
    assert [alert[2:] for alert in policed.alerts_now()] == [("warning", Decimal("0.02"), Decimal("0.04"))]


def test_an_append_that_is_refused_moves_no_position(policed: Policed, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a log that refuses the first append of the policy
    refused = iter([True])
    real = LogRecorder.append

    def append(recorder: LogRecorder, connection: object, columns: Columns) -> int:
        if next(refused, False):
            raise ConnectionError("refused")
        return real(recorder, connection, columns)  # type: ignore[arg-type]

    policed.publish(DAILY)
    policed.worker()
    policed.spend(*["spender"] * 5)
    monkeypatch.setattr(LogRecorder, "append", append)

    # when the policy follows, then what it could not append is appended by its next try
    policed.police()
    assert len(policed.alerts_now()) == 2


def test_corrections_resolve_and_raise_again_and_the_rows_follow_from_the_log(policed: Policed) -> None:
    # given a total of 0.06 above a threshold of 0.05
    policed.publish(DAILY)
    policed.police()
    policed.worker()
    first, *_ = policed.spend("spender", "spender", "spender")
    assert len(policed.alerts_now()) == 2

    # when a correction takes 0.02 away, then the alert is resolved, and its mark says why
    def correct(before: str, after: str) -> None:
        events = policed.log.stream(first)
        booked = next(n for n, event in enumerate(events, 1) if isinstance(event, CostRecorded))
        facts = {"step": "work", "attempt": 1, "recorded": booked, "called_at": events[booked - 1].at}
        amounts = {"before": Money(Decimal(before), "USD"), "after": Money(Decimal(after), "USD")}
        corrected = record(CostCorrected, policed.cause, reason="test", **facts, **amounts)
        policed.log.append(Unit(first, len(events), [corrected]))

    correct("0.02", "0")
    policed.until(lambda: policed.statuses() == ["resolved", "open"])

    # when another one gives it back, then it is raised again
    correct("0", "0.02")
    policed.until(lambda: policed.statuses() == ["open", "open"])
    rows = policed.rows("select from_correction, before, after from cost_alert_list where level = 'alert'")
    assert rows == [{"from_correction": 1, "before": Decimal("0.04"), "after": Decimal("0.06")}]

    # and a rebuild would give the same rows
    for projection in (CostLedgerProjection(), CostAlertsProjection()):
        verified = verify(policed.datastore, projection, lambda *_: None)
        assert (verified.differing, verified.rows > 0) == (0, True)


def test_an_item_is_a_part_of_the_execution_that_goes_through_the_list(policed: Policed) -> None:
    # given a limit for an execution that each item passes too
    policed.publish(LISTED)
    policed.police()
    policed.worker()

    # when four items spend two cents each
    policed.spend("listed")

    # then the execution alone raises an alert, and the day counts each cost once
    kinds = [(kind, level) for _, kind, level, *_ in policed.alerts_now()]
    assert sorted(kinds) == [("daily", "alert"), ("per_execution", "alert")]
    (row,) = policed.rows("select contributors::text as c from cost_alert_list where kind = 'daily'")
    assert '"step":"each/work"' in row["c"]
