"""Schedules over HTTP: the fleet by next run, the ledger, pause, resume, run now, backfill, calendars."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from domain.event import Cause
from domain.identity import process_id, schedule_id
from domain.schedules.due import account_for_due
from domain.schedules.rules import terms_of
from domain.schedules.schedule import fold
from store.lists.due_schedules import DUE_SCHEDULES
from store.unit import Unit

SOURCE = """
name: %s
steps: [{id: a, agent: echo, message: "{{ trigger.scheduled_at }}"}]
triggers: [{type: schedule, id: tick, cron: "%s"}]
"""
MISSING = "0192f0c1-0000-7000-8000-000000000000"
HOUR = timedelta(hours=1)


@pytest.fixture
def hourly(client: TestClient, installation: Any) -> UUID:
    """The schedule of a published process."""
    installation.publish(client, SOURCE % ("hourly", "0 * * * *"), echo={"script": "echo"})
    installation.project()
    return schedule_id(process_id("hourly"), "tick")


def pass_time(installation: Any, id: UUID, ahead: timedelta) -> None:
    """Account for the instants until a later time, without starting executions, as a worker would."""
    events = installation.log.stream(id)
    schedule = fold(None, events)
    at = datetime.now(UTC) + ahead
    new = account_for_due(schedule, at, Cause(at, "worker:test"), terms_of)
    installation.log.append(Unit(id, len(events), new))
    installation.project()


def test_a_published_schedule_is_listed_with_its_next_run(client: TestClient, installation: Any, hourly: UUID) -> None:
    installation.publish(client, SOURCE % ("sooner", "* * * * *"), echo={"script": "echo"})
    installation.project()

    first, second = client.get("/api/schedules").json()["items"]
    assert [first["process"], second["process"]] == ["sooner", "hourly"]
    assert second["schedule_id"] == str(hourly)
    assert (second["status"], second["version"], second["last_run"]) == ("active", 1, None)
    assert datetime.fromisoformat(second["next_run"]).minute == 0
    assert second["rule"]["cron"] == "0 * * * *"
    assert client.get(f"/api/schedules/{hourly}").json() == second
    assert client.get("/api/schedules?process=hourly&status=active").json()["items"] == [second]
    assert client.get("/api/schedules?status=paused").json()["items"] == []
    page = client.get("/api/schedules?limit=1").json()
    assert page["items"] == [first]
    assert client.get(f"/api/schedules?limit=1&cursor={page['next_cursor']}").json()["items"] == [second]
    assert client.get(f"/api/schedules/{MISSING}").status_code == 404
    coming = [datetime.fromisoformat(each["utc"]) for each in second["coming"]]
    assert coming == [datetime.fromisoformat(second["next_run"]), datetime.fromisoformat(second["next_run"]) + HOUR]
    shown = client.get("/api/processes/hourly").json()["next_run"]
    assert shown == {"schedule_id": str(hourly), "at": second["next_run"]}


def test_the_week_holds_the_runs_of_the_fleet_in_order(client: TestClient, installation: Any, hourly: UUID) -> None:
    installation.publish(client, SOURCE % ("half", "30 * * * *"), echo={"script": "echo"})
    installation.project()

    begin = datetime.now(UTC)
    parameters = {"from": begin.isoformat(), "to": (begin + 3 * HOUR).isoformat()}
    runs = client.get("/api/schedules/week", params=parameters).json()
    times = [run["at"] for run in runs["items"]]
    assert times == sorted(times)
    assert len(times) == 6
    assert {run["process"] for run in runs["items"]} == {"hourly", "half"}
    assert not runs["truncated"]
    assert 300 < len(client.get("/api/schedules/week").json()["items"]) <= 400


def test_paused_instants_are_skipped_and_backfilled_once(client: TestClient, installation: Any, hourly: UUID) -> None:
    path = f"/api/schedules/{hourly}"
    assert client.post(f"{path}/pause", json={"reason": "holiday"}).status_code == 200
    assert client.post(f"{path}/pause", json={}).json()["duplicate"] is True
    pass_time(installation, hourly, 3 * HOUR)
    shown = client.get(path).json()
    assert (shown["status"], shown["reason"], shown["last_outcome"]) == ("paused", "holiday", "skipped")

    whole = {"from": "2026-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    ledger = client.get(f"{path}/occurrences", params=whole).json()
    assert [item["outcome"] for item in ledger["items"]] == ["skipped"] * 3
    assert {item["reason"] for item in ledger["items"]} == {"paused"}
    assert (ledger["counts"]["expected"], ledger["counts"]["skipped"]) == (3, 3)

    counted = client.post(f"{path}/backfill", json={**whole, "dry_run": True})
    assert counted.status_code == 200, counted.text
    assert (counted.json()["count"], len(counted.json()["instants"])) == (3, 3)
    back = client.post(f"{path}/backfill", json=whole)
    assert (back.status_code, back.json()["count"]) == (202, 3)
    again = client.post(f"{path}/backfill", json=whole).json()
    assert (again["count"], again["skipped"]) == (0, 3)

    installation.project()
    ledger = client.get(f"{path}/occurrences", params=whole).json()
    assert ledger["counts"]["backfilled"] == ledger["counts"]["expected"] == 3
    execution = client.get(f"/api/executions/{ledger['items'][0]['execution_id']}").json()
    assert execution["trigger"]["type"] == "schedule"
    assert execution["actor"] == f"schedule:{hourly}"
    assert client.post(f"{path}/resume", json={"reason": "back"}).status_code == 200
    installation.project()
    assert client.get(path).json()["status"] == "active"


def test_run_now_starts_at_once_and_leaves_the_cadence(client: TestClient, installation: Any, hourly: UUID) -> None:
    before = client.get(f"/api/schedules/{hourly}").json()["next_run"]
    answer = client.post(f"/api/schedules/{hourly}/run-now", json={"reason": "to see"})
    assert answer.status_code == 202
    installation.project()

    execution = client.get(f"/api/executions/{answer.json()['execution_id']}").json()
    assert (execution["trigger"]["type"], execution["trigger"]["id"]) == ("schedule", "tick")
    assert client.get(f"/api/schedules/{hourly}").json()["next_run"] == before


def test_what_a_schedule_cannot_do_is_refused(client: TestClient, installation: Any, hourly: UUID) -> None:
    path = f"/api/schedules/{hourly}"
    backwards = {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    assert client.post(f"{path}/backfill", json=backwards).status_code == 422
    assert client.post(f"{path}/backfill", json={"from": "noon", "to": "later"}).status_code == 422
    assert client.post(f"/api/schedules/{MISSING}/pause", json={}).status_code == 404
    client.post("/api/processes/hourly/archive", json={"reason": "old"})
    refused = client.post(f"{path}/run-now", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "schedule_removed")
    installation.project()
    assert client.get(path).json()["status"] == "removed"
    assert client.get("/api/processes/hourly").json()["next_run"] is None


def test_calendars_are_defined_and_versioned(client: TestClient) -> None:
    days = ["2026-12-25", "2026-12-24..2026-12-26"]
    first = client.put("/api/calendars/holidays", json={"days": days, "description": "bank holidays"})
    assert (first.status_code, first.json()["version"]) == (200, 1)
    assert client.put("/api/calendars/holidays", json={"days": days, "description": "bank holidays"}).json()[
        "duplicate"
    ]
    assert client.put("/api/calendars/holidays", json={"days": days[:1]}).json()["version"] == 2

    assert client.get("/api/calendars/holidays").json() == {
        "name": "holidays",
        "days": days[:1],
        "description": "",
        "version": 2,
    }
    assert [each["name"] for each in client.get("/api/calendars").json()["items"]] == ["holidays"]
    wrong = client.put("/api/calendars/holidays", json={"days": ["soon", "2026-12-26..2026-12-24"]})
    assert wrong.status_code == 422
    assert len(wrong.json()["problems"]) == 2
    assert client.get("/api/calendars/none").status_code == 404


def test_a_calendar_that_a_rule_uses_is_registered_with_it_and_followed(client: TestClient, installation: Any) -> None:
    client.put("/api/calendars/holidays", json={"days": ["2026-12-25"]})
    source = SOURCE % ("excepted", "0 * * * *")
    installation.publish(client, source.replace('*"}', '*", except: holidays}'), echo={"script": "echo"})
    id = schedule_id(process_id("excepted"), "tick")
    state = fold(None, installation.log.stream(id))
    assert state is not None
    assert state.registrations[-1].calendars["holidays"].days == ["2026-12-25"]

    client.put("/api/calendars/holidays", json={"days": ["2026-12-25", "2026-12-26"]})
    state = fold(None, installation.log.stream(id))
    assert state is not None
    assert state.registrations[-1].calendars["holidays"].version == 2
    assert DUE_SCHEDULES.verify(installation.datastore, lambda _done, _all: None).differing == 0


@pytest.mark.parametrize(
    ("begin", "end"),
    [(None, None), (10, None), (None, 50), (3, 5), (10, 50), (24, 48), (23.5, 24.5), (25, 71.5), (0, 96), (50, 10)],
)
def test_the_counts_of_a_range_are_those_of_its_instants(
    client: TestClient, installation: Any, hourly: UUID, begin: float | None, end: float | None
) -> None:
    pass_time(installation, hourly, timedelta(hours=80))
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    lower, upper = (None if hours is None else midnight + timedelta(hours=hours) for hours in (begin, end))
    stated = {"from": lower, "to": upper}
    params = {name: at.isoformat() for name, at in stated.items() if at is not None} | {"limit": "200"}
    ledger = client.get(f"/api/schedules/{hourly}/occurrences", params=params).json()

    whole = client.get(f"/api/schedules/{hourly}/occurrences", params={"limit": "200"}).json()["items"]
    times = [datetime.fromisoformat(each["scheduled_at"]) for each in whole]
    within = [at for at in times if (lower is None or at >= lower) and (upper is None or at < upper)]
    assert len(whole) >= 79
    assert ledger["counts"]["expected"] == len(ledger["items"]) == len(within)
    outcomes = Counter(each["outcome"] for each in ledger["items"])
    assert {name: n for name, n in ledger["counts"].items() if n and name != "expected"} == outcomes


def test_no_run_is_expected_while_the_process_is_paused(client: TestClient, installation: Any, hourly: UUID) -> None:
    client.post("/api/processes/hourly/pause", json={"reason": "broken"})
    installation.project()
    assert client.get("/api/schedules/week").json()["items"] == []
    assert client.get(f"/api/schedules/{hourly}").json()["process_paused"] is True
    assert client.get("/api/processes/hourly").json()["next_run"] is None

    client.post("/api/processes/hourly/resume", json={"reason": "mended"})
    installation.project()
    assert client.get("/api/schedules/week").json()["items"]
    assert client.get(f"/api/schedules/{hourly}").json()["process_paused"] is False


def test_only_admins_see_sensitive_fields_of_the_fixed_input(client: TestClient, installation: Any) -> None:
    source = SOURCE % ("private", "0 * * * *")
    source += "input: {ssn: {type: string, sensitive: true}, kind: {type: string}}\n"
    source = source.replace("type: schedule,", "type: schedule, input: {ssn: 123-45-6789, kind: daily},")
    installation.publish(client, source, echo={"script": "echo"})
    installation.project()
    root = client.post("/api/keys", json={"name": "root", "scopes": ["admin"]}).json()["key"]
    admin = {"Authorization": f"Bearer {root}"}
    made = client.post("/api/keys", json={"name": "vera", "scopes": ["viewer"]}, headers=admin)
    viewer = {"Authorization": f"Bearer {made.json()['key']}"}
    id = schedule_id(process_id("private"), "tick")

    for path in ("/api/schedules", f"/api/schedules/{id}"):
        shown = {name: client.get(path, headers=headers) for name, headers in (("admin", admin), ("viewer", viewer))}
        rules = {name: answer.json().get("items", [answer.json()])[0]["rule"] for name, answer in shown.items()}
        assert rules["admin"]["input"] == {"ssn": "123-45-6789", "kind": "daily"}
        assert rules["viewer"]["input"] == {"ssn": "•••", "kind": "daily"}
        assert "6789" not in shown["viewer"].text


def test_the_operator_says_from_when_on_a_run_is_overdue(installation: Any, client: TestClient, hourly: UUID) -> None:
    with installation.datastore.reading() as connection:
        connection.execute("update due_schedules set due_at = now() - interval '2 minutes'")
    metric = "procession_overdue_schedules"
    assert f"{metric} 1.0" in client.get("/metrics").text
    installation.overdue_after = timedelta(minutes=5)
    assert f"{metric} 0.0" in client.get("/metrics").text
