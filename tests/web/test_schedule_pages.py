"""The pages of schedules, without a browser: the fleet, one with its ledger, and the forms that steer it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from domain.event import Cause
from domain.identity import process_id, schedule_id
from domain.schedules.due import account_for_due
from domain.schedules.rules import terms_of
from domain.schedules.schedule import fold
from store.unit import Unit
from tests.api.conftest import Installation

HOURLY = """
name: hourly
steps: [{id: a, agent: writer, message: go}]
triggers: [{type: schedule, id: tick, cron: "0 * * * *"}]
"""
HOSTILE = "<script>alert(1)</script>{{ 7 * 7 }}"


@pytest.fixture
def hourly(installation: Installation, client: TestClient) -> UUID:
    """The schedule of a published process."""
    installation.publish(client, HOURLY, writer={"script": "echo"})
    installation.project()
    return schedule_id(process_id("hourly"), "tick")


def test_the_fleet_is_listed_and_filtered(client: TestClient, hourly: UUID) -> None:
    page = client.get("/schedules").text
    assert f"/schedules/{hourly}" in page
    assert "tick" in page
    assert f"/schedules/{hourly}" in client.get("/schedules?process=hourly&status=active").text
    assert "No schedule matches" in client.get("/schedules?status=paused").text


def test_the_next_run_stands_on_the_overview_and_at_the_process(
    client: TestClient, installation: Installation, hourly: UUID
) -> None:
    assert f"/schedules/{hourly}" in client.get("/").text.split("Next runs")[1]
    assert f"/schedules/{hourly}" in client.get("/processes/hourly").text.split("Next run")[1]

    with installation.datastore.reading() as connection:
        connection.execute("update schedule_list set next_at = now() - interval '2 minutes'")
    page = client.get("/").text
    assert "A run of hourly has not started" in page
    assert "Next runs" not in page


def test_one_is_paused_resumed_and_run_by_its_forms(
    client: TestClient, installation: Installation, hourly: UUID
) -> None:
    href = f"/schedules/{hourly}"
    assert "Nothing was expected yet" in client.get(href).text
    assert client.post(f"{href}/pause", data={"reason": ""}).status_code == 422
    preview = client.post(f"{href}/pause", data={"reason": HOSTILE, "preview": "1"}).text
    assert "SchedulePaused" in preview
    assert "<script>alert" not in preview
    paused = client.post(f"{href}/pause", data={"reason": HOSTILE}, follow_redirects=False)
    assert paused.status_code == 303

    events = installation.log.stream(hourly)
    schedule = fold(None, events)
    assert schedule is not None
    later = datetime.now(UTC) + timedelta(hours=2)
    skipped = account_for_due(schedule, later, Cause(later, "worker:test"), terms_of)
    installation.log.append(Unit(hourly, len(events), skipped))
    installation.project()
    page = client.get(href).text
    assert "2 expected = 2 skipped" in page
    assert "<script>alert" not in page
    assert "49" not in page.split("Paused")[1][:200]

    assert client.post(f"{href}/resume", data={"reason": ""}, follow_redirects=False).status_code == 303
    run = client.post(f"{href}/run-now", data={"reason": "to see"}, follow_redirects=False)
    assert run.status_code == 303
    installation.project()
    assert client.get("/executions?trigger=schedule").status_code == 200
    assert "Pause it" in client.get(href).text
    assert client.get("/schedules/nonsense").status_code == 404
