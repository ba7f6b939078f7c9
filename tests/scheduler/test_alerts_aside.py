"""A cost alert about which no decision succeeds stops no other: it is set aside, and tried again."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from commands.cost_thresholds import SetCostThresholds, WrittenLevel
from commands.set_aside import CancelSetAside, CannotCancel, RetrySetAside
from domain.event import Cause, record
from domain.executions.events.cost import CostCorrected, CostRecorded
from domain.money import Money
from scheduler.policing import Policing
from store.datastore import Datastore
from store.reading import connect
from store.unit import Unit
from tests.clocks import TurnedClock
from tests.scheduler.policed import Policed

DAILY = """
name: {name}
steps:
  - {{id: work, type: agent_task, agent: writer, message: x}}
costs: {{daily: {{amount: "{amount}", currency: USD}}}}
"""
ASIDE = "select execution_id, kind, tries, error from set_aside"


def alert_of(policed: Policed, process: str) -> UUID:
    (row,) = policed.rows("select alert_id from cost_alert_list where process = %s", process)
    return UUID(str(row["alert_id"]))


@contextmanager
def unreadable(policed: Policed, alert: UUID) -> Iterator[None]:
    """Make the events of an alert ones that no release reads, while the body runs."""
    states = policed.rows("select originator_version as n, state from stored_events where originator_id = %s", alert)
    policed.rows("update stored_events set state = '[]' where originator_id = %s", alert)
    yield
    for row in states:
        change = "update stored_events set state = %s where originator_id = %s and originator_version = %s"
        policed.rows(change, row["state"], alert, row["n"])


def correct(policed: Policed, execution: UUID, before: str, after: str) -> None:
    events = policed.log.stream(execution)
    booked = next(n for n, event in enumerate(events, 1) if isinstance(event, CostRecorded))
    facts = {"step": "work", "attempt": 1, "recorded": booked, "called_at": events[booked - 1].at}
    amounts = {"before": Money(Decimal(before), "USD"), "after": Money(Decimal(after), "USD")}
    corrected = record(CostCorrected, policed.cause, reason="test", **facts, **amounts)
    policed.log.append(Unit(execution, len(events), [corrected]))


def status(policed: Policed, process: str) -> list[str]:
    policed.alerts_now()
    return [row["status"] for row in policed.rows("select status from cost_alert_list where process = %s", process)]


def test_an_alert_that_cannot_be_read_is_set_aside_and_the_others_go_on(
    policed: Policed, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    # given an alert whose events no release reads
    for name, amount in (("first", "0.02"), ("second", "0.04")):
        policed.publish(DAILY.format(name=name, amount=amount))
    policed.police()
    policed.worker()
    (spent,) = policed.spend("first")
    assert len(policed.alerts_now()) == 1
    alert = alert_of(policed, "first")
    with unreadable(policed, alert):
        # when its total falls below the amount, then it alone is set aside, and other alerts are raised
        correct(policed, spent, "0.02", "0.01")
        policed.until(lambda: [row["execution_id"] for row in policed.rows(ASIDE)] == [alert])
        policed.spend("second", "second")
        assert [row[0] for row in policed.alerts_now()] == ["first", "second"]
        # and the log has its error once, however often it is tried
        policed.until(lambda: policed.rows(ASIDE)[0]["tries"] >= 2)
        (item,) = policed.rows(ASIDE)
        assert (item["kind"], item["execution_id"]) == ("cost_alert", alert)
        assert len([each for each in caplog.records if str(alert) in each.getMessage()]) == 1
        # and an operator cannot cancel it
        with pytest.raises(CannotCancel):
            policed.set_aside.cancel(CancelSetAside(alert, "enough"), policed.cause)

    # when it can be read again, then what was found about it is decided, and it is no longer set aside
    policed.set_aside.retry(RetrySetAside(alert, "mended"), policed.cause)
    policed.until(lambda: status(policed, "first") == ["resolved"])
    assert policed.rows(ASIDE) == []
    assert [row["reason"] for row in policed.rows("select reason from cost_alert_list where process = 'first'")] == [
        "correction"
    ]


def test_an_alert_of_a_threshold_that_was_replaced_ends_when_it_can_be_read(policed: Policed) -> None:
    id = policed.publish(DAILY.format(name="first", amount="0.02"))
    policing = policed.police()
    policed.worker()
    policed.spend("first")
    assert len(policed.alerts_now()) == 1
    alert = alert_of(policed, "first")
    with unreadable(policed, alert):
        daily = [WrittenLevel("5", "USD")]
        policed.cost_thresholds.set(SetCostThresholds(id, daily=daily), policed.cause)
        policed.until(lambda: len(policed.rows(ASIDE)) == 1)
        policing.stop()
    # when another process follows the ledger after it
    policed.police()
    policed.set_aside.retry(RetrySetAside(alert, "mended"), policed.cause)
    policed.until(lambda: status(policed, "first") == ["resolved"])
    assert policed.rows(ASIDE) == []


def test_a_threshold_in_a_zone_that_is_none_here_keeps_no_other_from_its_alerts(policed: Policed) -> None:
    for name in ("first", "second"):
        policed.publish(DAILY.format(name=name, amount="0.02"))
    policed.until(lambda: len(policed.rows("select 1 from cost_rules")) == 2)
    policed.rows("update cost_rules set timezone = 'Europe/Nowhere' where process = 'first'")
    policed.police()
    policed.worker()
    policed.spend("first", "second")
    assert [row[0] for row in policed.alerts_now()] == ["second"]


def test_acts_that_fail_do_not_keep_others_from_theirs(read_tables: Datastore) -> None:
    clock, acted = TurnedClock(datetime(2026, 1, 1, tzinfo=UTC)), set[UUID]()

    def act(alert: UUID, _cause: Cause) -> None:
        if alert.int <= MANY:
            raise LookupError("broken")
        acted.add(alert)

    # given more alerts whose acts fail than are read at once
    policing = Policing(read_tables, clock, act)
    with connect(read_tables) as connection:
        insert = "insert into standing_alerts (alert_id, process_id, kind, rule, act) values (%s, %s, 'daily', 1, 'x')"
        rows: list[Any] = [(UUID(int=n), UUID(int=0)) for n in range(1, MANY + 2)]
        connection.cursor().executemany(insert, rows)
        policing.act_for(connection)
        assert acted == set()

        # then those behind them have their turn
        clock.time += timedelta(milliseconds=1)
        policing.act_for(connection)
        assert acted == {UUID(int=MANY + 1)}

        # and each that failed is set aside until its next try
        (row,) = connection.execute("select count(*) as n, min(next_try) as at from set_aside").fetchall()
        assert (row["n"], row["at"]) == (MANY, datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC))


MANY = 500
