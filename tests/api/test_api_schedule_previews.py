"""A rule is tried out before it is saved: its next instants, in words, and what is wrong with it."""

from typing import Any

import pytest
from starlette.testclient import TestClient

NIGHT = {"cron": "30 2 * * *", "timezone": "Europe/Berlin"}


def preview(client: TestClient, trigger: dict[str, Any], **more: Any) -> Any:
    answer = client.post("/api/schedules/preview", json={"trigger": trigger, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_rule_says_when_it_comes(client: TestClient) -> None:
    found = preview(client, NIGHT, count=2, **{"from": "2026-03-28T12:00:00Z"})
    assert found["items"] == [
        {"utc": "2026-03-29T01:00:00Z", "local": "2026-03-29T03:00:00", "offset": "+02:00", "flags": ["dst_gap"]},
        {"utc": "2026-03-30T00:30:00Z", "local": "2026-03-30T02:30:00", "offset": "+02:00", "flags": []},
    ]
    assert found["words"] == "Every day at 02:30, Europe/Berlin"
    assert (found["timezone"], found["canonical_timezone"]) == ("Europe/Berlin", "Europe/Berlin")
    assert found["tzdata"]


def test_an_older_name_of_a_zone_is_kept_and_the_present_one_is_shown(client: TestClient) -> None:
    found = preview(client, {"preset": "daily", "timezone": "US/Pacific"}, count=1)
    assert (found["timezone"], found["canonical_timezone"]) == ("US/Pacific", "America/Los_Angeles")


def test_the_first_moment_counts(client: TestClient) -> None:
    found = preview(client, {"preset": "daily"}, count=1, **{"from": "2026-03-28T00:00:00Z"})
    assert found["items"][0]["utc"] == "2026-03-28T00:00:00Z"
    found = preview(client, {"every": "90m"}, count=2, **{"from": "2026-03-28T00:00:00Z"})
    assert [each["utc"] for each in found["items"]] == ["2026-03-28T01:30:00Z", "2026-03-28T03:00:00Z"]


def test_exceptions_stand_between_the_runs(client: TestClient) -> None:
    client.put("/api/calendars/holidays", json={"days": ["2026-12-24..2026-12-26"]})
    trigger = {"preset": "daily", "except": ["holidays"]}
    found = preview(client, trigger, count=2, **{"from": "2026-12-23T00:00:00Z"})
    assert [each["flags"] for each in found["items"]] == [[], ["skipped"], ["skipped"], ["skipped"], []]


def test_an_answer_is_bounded_whatever_the_exceptions(client: TestClient) -> None:
    trigger = {"every": "10s", "except": ["2026-01-01..2099-12-31"]}
    assert len(preview(client, trigger, count=50)["items"]) == 1_000


@pytest.mark.parametrize(
    ("trigger", "code", "path"),
    [
        ({"cron": "61 * * * *"}, "invalid_cron", "trigger.cron"),
        ({}, "missing_field", "trigger.cron"),
        ({"preset": "daily", "timezone": "europe/berlin"}, "unknown_timezone", "trigger.timezone"),
        ({"preset": "daily", "except": ["nowhere"]}, "unknown_calendar", "trigger.except"),
        ({"every": "2s"}, "interval_too_short", "trigger.every"),
        ({"type": "manual"}, "wrong_type", "trigger.type"),
    ],
)
def test_what_is_wrong_is_located(client: TestClient, trigger: dict[str, Any], code: str, path: str) -> None:
    answer = client.post("/api/schedules/preview", json={"trigger": trigger})
    assert answer.status_code == 422
    assert [(each["code"], each["path"]) for each in answer.json()["problems"]] == [(code, path)]


@pytest.mark.parametrize("more", [{"count": 0}, {"count": 51}, {"from": "soon"}, {"trigger": 7}, {"counts": 1}])
def test_a_malformed_question_is_refused(client: TestClient, more: dict[str, Any]) -> None:
    answer = client.post("/api/schedules/preview", json={"trigger": NIGHT, **more})
    assert answer.status_code in (400, 422), answer.text


def test_a_published_interval_keeps_the_limit_of_the_operator(client: TestClient, installation: Any) -> None:
    source = (
        "name: often\ntriggers: [{type: schedule, id: s, every: 2s, except: [nowhere]}]\n"
        "steps: [{id: a, agent: writer, message: x}]\n"
    )
    client.put("/api/agents/writer", json={"kind": "scripted", "script": "echo"})
    drafted = client.post("/api/processes", content=source, headers={"Content-Type": "application/yaml"})
    assert drafted.status_code == 201, drafted.text
    refused = client.post(f"/api/processes/{drafted.json()['process_id']}/publish", json={})
    assert refused.status_code == 422
    assert [each["code"] for each in refused.json()["problems"]] == ["interval_too_short", "unknown_calendar"]
