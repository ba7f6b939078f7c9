"""`procession schedules` and `procession calendars`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.wiring import Wiring

Run = Callable[..., Any]

HOURLY = """
name: hourly
steps: [{id: a, type: timer, duration: 1s}]
triggers: [{type: schedule, id: tick, cron: "0 * * * *"}]
"""
RANGE = ("--from", "2026-01-01T00:00Z", "--to", "2026-02-01T00:00Z")


@pytest.fixture
def schedule(document: Run, publish: Run, working: Wiring) -> str:
    """The id of the schedule of a published process."""
    publish("hourly", HOURLY)
    for name in ("schedules", "occurrences"):
        assert working.progress.reached(name, working.log.last_position(), 60)
    (listed,) = document("schedules", "list")["items"]
    id: str = listed["schedule_id"]
    return id


def test_schedules_are_listed_and_one_is_shown_with_its_ledger(document: Run, procession: Run, schedule: str) -> None:
    assert document("schedules", "list", "--status", "paused")["items"] == []
    assert "hourly" in procession("schedules", "list", "--process", "hourly").stdout
    shown = document("schedules", "show", schedule)
    assert shown["schedule"]["rule"]["cron"] == "0 * * * *"
    assert shown["occurrences"]["counts"]["expected"] == 0
    assert "0 expected" in procession("schedules", "show", schedule).stdout


def test_a_schedule_is_paused_resumed_and_run_by_hand(document: Run, procession: Run, schedule: str) -> None:
    would = document("schedules", "pause", schedule, "--reason", "holiday", "--dry-run")["would_record"]
    assert [event["type"] for event in would] == ["SchedulePaused"]
    assert document("schedules", "pause", schedule, "--reason", "holiday")["new"] is True
    assert document("schedules", "pause", schedule)["new"] is False
    assert "resumed" in procession("schedules", "resume", schedule).stdout
    assert document("schedules", "run-now", schedule)["execution_id"]
    assert document("schedules", "backfill", schedule, *RANGE, "--dry-run")["count"] == 0
    assert "0 started" in procession("schedules", "backfill", schedule, *RANGE).stdout
    gone = document("schedules", "pause", "0192f0c1-0000-7000-8000-000000000000", code=1)
    assert gone["error"]["code"] == "not_found"


def test_calendars_are_set_and_shown(document: Run, procession: Run, schedule: str) -> None:
    assert document("calendars", "set", "holidays", "2026-12-25", "2026-12-24..2026-12-26")["version"] == 1
    assert document("calendars", "set", "holidays", "2026-12-25")["version"] == 2
    assert procession("calendars", "show", "holidays").stdout.strip() == "2026-12-25"
    assert [each["name"] for each in document("calendars", "list")["items"]] == ["holidays"]
    assert document("calendars", "set", "holidays", "soon", code=1)["error"]["code"]


def test_rules_are_tried_out_without_a_database(document: Run, procession: Run, tmp_path: Path) -> None:
    night = ("schedules", "preview", "--cron", "30 2 * * *", "--timezone", "Europe/Berlin")
    since = ("--from", "2026-03-28T12:00Z", "--count", "2")
    said = procession(*night, *since).stdout
    assert "Every day at 02:30, Europe/Berlin" in said
    assert "2026-03-29 03:00:00" in said
    assert "dst_gap" in said
    (found,) = document(*night, *since)["schedules"]
    assert [each["utc"] for each in found["preview"]["items"]] == ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
    file = tmp_path / "hourly.yaml"
    file.write_text(HOURLY)
    (found,) = document("schedules", "preview", str(file), *since)["schedules"]
    assert found["trigger_id"] == "tick"
    assert found["preview"]["words"] == "Every hour, UTC"
    refused = document("schedules", "preview", "--cron", "61 * * * *", code=1)
    assert refused["error"]["problems"][0]["path"] == "trigger.cron"
    assert procession("schedules", "preview").exit_code == 2
