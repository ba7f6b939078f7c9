"""Timers as they are listed, page by page, and as an execution shows them with its steps."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from domain.agents.calls import StepError, Usage
from domain.event import Event
from domain.executions.events.cost import CostRecorded
from domain.executions.events.execution import ExecutionStarted
from domain.executions.events.step import (
    GatewayEvaluated,
    RouteChecked,
    StepFailed,
    StepRetryScheduled,
    StepScheduled,
    StepStarted,
)
from domain.executions.events.timer import TimerStarted
from domain.identity import process_id
from domain.money import Money
from projections.running import Runner
from projections.tables import create_read_tables
from queries.definitions import Definitions
from queries.executions import get_execution
from queries.paging import BadCursor
from queries.progress import ExecutionProgress
from queries.reading import Reading
from queries.timers import TimerFilter, list_timers, overdue_summary
from store.datastore import Datastore
from store.log import Log
from store.unit import Unit

X = UUID(int=1)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime.now(UTC).replace(microsecond=0)
EXECUTION_TIMERS = {("t", "timer"): NOW - timedelta(hours=2), ("a", "retry"): NOW + timedelta(hours=1)}


@pytest.fixture
def reading(datastore: Datastore, read_tables: Datastore) -> Iterator[Reading]:
    with datastore.reading() as connection:
        create_read_tables(connection)
    progress = ExecutionProgress(datastore)
    progress.start()
    yield Reading(datastore, progress)
    progress.stop()


def happened(reading: Reading, *told: tuple[type[Event], dict[str, Any]], timers: Any = EXECUTION_TIMERS) -> None:
    """Record events of X with its timers, and bring the read models up to them."""
    log = Log(reading.datastore)
    start = {"process_id": process_id("p"), "process": "p", "version": 1, "input": {}, "steps": 3}
    events = [kind(at=BEGIN, actor="user:ann", **facts) for kind, facts in [(ExecutionStarted, start), *told]]
    log.append_all([Unit(X, 0, events, timers_set=timers)])
    log.close()
    runner = Runner(reading.datastore)
    runner.refresh()
    runner.advance()
    runner.close()


def test_timers_are_listed_by_when_they_are_due_with_their_process(reading: Reading) -> None:
    happened(reading)
    first, second = list_timers(reading).items
    assert (first.execution_id, first.step, first.kind, first.due_at, first.process) == (
        X,
        "t",
        "timer",
        NOW - timedelta(hours=2),
        "p",
    )
    assert 7_200 <= first.overdue_seconds <= (datetime.now(UTC) - first.due_at).total_seconds()
    assert (second.step, second.overdue_seconds) == ("a", 0)
    assert [timer.step for timer in list_timers(reading, TimerFilter(overdue=True)).items] == ["t"]
    summary = overdue_summary(reading)
    assert summary.count == 1
    assert 7_200 <= summary.worst_seconds <= (datetime.now(UTC) - first.due_at).total_seconds()


def test_nothing_is_overdue_when_there_are_no_timers(reading: Reading) -> None:
    summary = overdue_summary(reading)
    assert (summary.count, summary.worst_seconds) == (0, 0)


def test_pages_neither_skip_nor_repeat_timers_that_are_due_at_once(reading: Reading) -> None:
    kinds = ["timer", "timeout", "total_timeout"]
    timers = {(f"s{n}", kind): NOW + timedelta(seconds=n // 2) for n in range(4) for kind in kinds}
    happened(reading, timers=timers)
    seen, cursor = list[tuple[str, str]](), None
    while True:
        page = list_timers(reading, limit=5, cursor=cursor)
        seen += [(timer.step, timer.kind) for timer in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == sorted(timers, key=lambda key: (timers[key], key))


@pytest.mark.parametrize("cursor", ["", "eDox", "dDox", "dDoyMDI2LTAxLTAxIHggeSB6"])
def test_a_cursor_of_another_list_is_refused(reading: Reading, cursor: str) -> None:
    with pytest.raises(BadCursor):
        list_timers(reading, cursor=cursor)


def test_an_execution_shows_its_timers_and_what_its_steps_wait_for(reading: Reading) -> None:
    due_at = NOW + timedelta(hours=1)
    cost, usage = Money(Decimal("0.1"), "USD"), Usage(10, 3)
    happened(
        reading,
        (TimerStarted, {"step": "t", "attempt": 1, "due_at": due_at}),
        (GatewayEvaluated, {"step": "g", "attempt": 1, "conditions": [RouteChecked("a", True)], "chosen": ["a"]}),
        (StepScheduled, {"step": "a", "attempt": 1, "agent": "echo", "message": "hello"}),
        (StepStarted, {"step": "a", "attempt": 1}),
        (CostRecorded, {"step": "a", "attempt": 1, "agent": "echo", "usage": usage}),
        (StepFailed, {"step": "a", "attempt": 1, "error": StepError("x", "y"), "started_at": BEGIN}),
        (StepRetryScheduled, {"step": "a", "attempt": 2, "due_at": due_at, "code": "x"}),
        (CostRecorded, {"step": "a", "attempt": 1, "agent": "echo", "usage": usage, "cost": cost}),
        (CostRecorded, {"step": "a", "attempt": 1, "agent": "echo", "usage": usage}),
    )
    shown = get_execution(reading, Definitions(), X)
    assert [(timer.step, timer.kind) for timer in shown.timers] == [("t", "timer"), ("a", "retry")]
    timer, gateway, step = shown.steps
    assert (timer.status, timer.due_at, timer.input) == ("waiting", due_at, None)
    assert (gateway.chosen, msgspec.json.decode(gateway.conditions)) == (["a"], [{"target": "a", "value": True}])
    assert gateway.due_at is None
    assert (step.status, step.attempts, step.due_at) == ("retrying", 1, due_at)
    assert msgspec.json.decode(step.error) == {"code": "x", "message": "y"}
    assert shown.cost.unpriced == 2
