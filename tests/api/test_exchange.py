"""Questions of one exchange: one round trip, freshness before rows, and a refusal where tables are not there."""

from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from queries.analytics.today import today
from queries.approvals import ApprovalFilter, approvals_counted, approvals_listed
from queries.counts import count_all
from queries.exchange import exchange
from queries.executions import longest_running
from queries.reading import Reading, ReadModelRebuilding
from queries.set_aside import set_aside_listed
from queries.timers import TimerFilter, timers_listed
from tests.api.conftest import GREETING, Installation

NOW = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
def reading(client: TestClient, installation: Installation) -> Reading:
    installation.publish(client, GREETING, writer={"script": "echo"})
    for name in ("Ann", "Bo"):
        client.post("/api/processes/greeting/executions", json={"input": {"name": name}})
    installation.project()
    return installation.new_reading(5.0)


def test_answers_come_in_the_order_of_their_questions(
    client: TestClient, installation: Installation, reading: Reading
) -> None:
    projected = installation.log.last_position()
    client.post("/api/processes/greeting/executions", json={"input": {"name": "Cy"}})
    with exchange(reading) as together:
        running = together.add(longest_running((), 10))
        aside = together.add(set_aside_listed(None, 10))
        timers = together.add(timers_listed(TimerFilter(), None, 10))
    found = running.view()
    assert [each.process for each in found.items] == ["greeting", "greeting"]
    assert found.as_of_position == timers.view().as_of_position == projected
    assert found.lag_seconds > 0
    # The log itself is at its end.
    assert (aside.view().as_of_position, aside.view().lag_seconds) == (installation.log.last_position(), 0.0)


@pytest.mark.parametrize("dropped", [False, True])
def test_a_read_model_that_is_being_built_refuses_its_answer_alone(reading: Reading, dropped: bool) -> None:
    with reading.datastore.reading() as connection:
        connection.execute("update projections set digest = 'of another release' where name = 'analytics'")
        if dropped:
            connection.execute("drop table analytics_runs")
    with exchange(reading) as together:
        figures = together.add(today(NOW, "UTC", ()))
        running = together.add(longest_running((), 10))
    assert len(running.view().items) == 2
    with pytest.raises(ReadModelRebuilding):
        figures.view()


def test_counts_of_a_read_model_that_is_being_built_are_unknown(reading: Reading) -> None:
    counts = [approvals_counted(ApprovalFilter(statuses=["open"]))]
    assert count_all(reading, counts, 100) == [0]
    with reading.datastore.reading() as connection:
        connection.execute("update projections set digest = 'of another release' where name = 'approvals'")
        assert count_all(reading, counts, 100) == [None]
        connection.execute("drop table approvals")
    assert count_all(reading, [*counts, *counts], 100) == [None, None]
    assert count_all(reading, [], 100) == []
    with exchange(reading) as together:
        listed = together.add(approvals_listed(ApprovalFilter(), None, 10))
    with pytest.raises(ReadModelRebuilding):
        listed.view()
