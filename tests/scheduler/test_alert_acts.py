"""The acts that thresholds request: carried out, and tried again ever more seldom while they fail."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.clock import SYSTEM_CLOCK
from domain.event import Cause
from projections import ALL
from scheduler.alerts_aside import LONGEST_WAIT
from scheduler.policing import Policing
from scheduler.projector import Projector
from store.datastore import Datastore
from store.reading import connect
from tests.clocks import TurnedClock
from tests.scheduler.conftest import Installation

PAUSING = """
name: spender
triggers: [{type: schedule, id: yearly, cron: "0 0 1 1 *"}]
costs: {daily: {amount: "0.02", currency: USD, on_alert: pause_schedules}}
steps: [{id: work, agent: writer, message: x}]
"""


@pytest.fixture
def projected(installation: Installation, read_tables: Datastore) -> Iterator[Installation]:
    projector = Projector(read_tables, SYSTEM_CLOCK, ALL)
    projector.start()
    yield installation
    projector.stop()


def test_schedules_are_paused_and_stay_so(projected: Installation) -> None:
    projected.agent("writer", script="echo", cost={"amount": "0.02", "currency": "USD"})
    projected.publish(PAUSING)
    projected.worker()
    policing = Policing(projected.datastore, SYSTEM_CLOCK, projected.alert_acts.act)
    policing.start()
    projected.ending.callback(policing.stop)
    (ended,) = projected.ended(projected.start("spender"))
    assert ended.status == "completed"
    projected.until(lambda: projected.rows("select 1 from stored_events where topic = 'CostAlertActed'"))
    (paused,) = projected.rows(
        "select convert_from(state, 'UTF8')::json ->> 'reason' as why from stored_events where topic = 'SchedulePaused'"
    )
    assert paused["why"] == "the daily costs reached 0.02 USD"


def test_an_act_that_fails_waits_twice_as_long_each_time(read_tables: Datastore) -> None:
    clock, tried = TurnedClock(datetime(2026, 1, 1, tzinfo=UTC)), list[datetime]()

    def act(_alert: UUID, cause: Cause) -> None:
        tried.append(cause.at)
        raise LookupError("broken")

    policing = Policing(read_tables, clock, act)
    begun = clock.time
    with connect(read_tables) as connection:
        connection.execute(
            "insert into standing_alerts (alert_id, process_id, kind, rule, act) values (%s, %s, 'daily', 1, 'x')",
            (UUID(int=1), UUID(int=2)),
        )
        for _ in range(3_600):
            policing.act_for(connection)
            clock.time += timedelta(seconds=1)
    waits = [(later - earlier).total_seconds() for earlier, later in zip([begun, *tried], tried, strict=False)]
    longest = LONGEST_WAIT.total_seconds()
    assert waits[:10] == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert set(waits[10:]) == {longest}
