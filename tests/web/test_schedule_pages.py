"""The pages of schedules, without a browser: the fleet, one with its ledger, and the forms that steer it."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from domain.event import Cause
from domain.identity import process_id, schedule_id
from domain.schedules.due import account_for_due
from domain.schedules.rules import terms_of
from domain.schedules.schedule import fold
from queries.occurrences import ledger_strips
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
    assert "started, then failed</span>" in page
    assert "skips each expected time" not in page
    assert "No schedule matches" in client.get("/schedules?status=paused").text


def test_the_days_of_a_ledger_are_chosen_by_its_links(client: TestClient, hourly: UUID) -> None:
    page = client.get(f"/schedules/{hourly}").text
    links = re.findall(r'<a href="(/schedules/[^"]+days=[0-9]+)"', page)
    assert len(links) == 3
    for link in links:
        chosen = client.get(link)
        assert chosen.status_code == 200
        assert f'<a href="{link}" aria-current="page">' in chosen.text
    assert client.get(f"/schedules/{hourly}?days=31").status_code == 400


def test_a_lane_says_from_when_on_it_leaves_runs_out(client: TestClient, installation: Installation) -> None:
    rules = '[{type: schedule, id: often, every: 1m}, {type: schedule, id: later, cron: "0 0 * * *"}]'
    installation.publish(client, HOURLY.split("triggers")[0] + f"triggers: {rules}", writer={"script": "echo"})
    installation.project()
    page = client.get("/schedules").text
    # 200 runs, one a minute, of a day on 86 percent of the width beside the names.
    (since,) = re.findall(r'class="f-data part" x="([0-9.]+)%"', page)
    assert float(since) == pytest.approx(14 + 86 * 200 / 1440, abs=0.2)


def test_the_next_run_stands_on_the_overview_and_at_the_process(
    client: TestClient, installation: Installation, hourly: UUID
) -> None:
    assert f"/schedules/{hourly}" in client.get("/").text.split("Next runs")[1]
    assert f"/schedules/{hourly}" in client.get("/processes/hourly").text.split("Next run")[1]
    assert f"/schedules/{hourly}" in client.get("/processes").text.split("Next run")[1]

    with installation.datastore.reading() as connection:
        connection.execute("update schedule_list set next_at = now() - interval '2 minutes'")
    page = client.get("/").text
    assert "A run of hourly has not started" in page
    assert "Next runs" not in page


MONTHLY = """
name: closing
steps: [{id: a, agent: writer, message: go}]
triggers: [{type: schedule, id: last-day, preset: monthly, day: 31, starts_at: "%s-02-01T00:00:00Z"}]
"""


def test_a_schedule_says_that_its_process_is_paused(
    client: TestClient, installation: Installation, hourly: UUID
) -> None:
    paused = "The process is paused."
    assert paused not in client.get(f"/schedules/{hourly}").text
    client.post("/processes/hourly/pause", data={"reason": "broken", "mode": "queue"})
    installation.project()
    assert paused in client.get(f"/schedules/{hourly}").text
    assert f"/schedules/{hourly}" not in client.get("/").text


def test_what_is_special_about_the_next_run_stands_wherever_it_is_shown(
    client: TestClient, installation: Installation
) -> None:
    installation.publish(client, MONTHLY % (datetime.now(UTC).year + 1), writer={"script": "echo"})
    installation.project()
    one = f"/schedules/{schedule_id(process_id('closing'), 'last-day')}"
    assert "next: short month" in client.get("/schedules").text
    for path in ("/", "/processes/closing", one):
        assert "short month" in client.get(path).text, path
    assert "Coming up" in client.get(one).text
    assert "preset: monthly" in client.get(one).text


def test_the_strips_of_a_page_are_one_query(client: TestClient, installation: Installation, hourly: UUID) -> None:
    events = installation.log.stream(hourly)
    schedule = fold(None, events)
    assert schedule is not None
    later = datetime.now(UTC) + timedelta(hours=30)
    missed = account_for_due(schedule, later, Cause(later, "worker:test"), terms_of)
    installation.log.append(Unit(hourly, len(events), missed))
    installation.project()
    other = schedule_id(process_id("nothing"), "tick")
    strips = ledger_strips(installation.app.state.door.reading, [hourly, other], 22)
    marks = strips[hourly]
    assert [len(marks), strips[other]] == [22, []]
    assert marks == sorted(marks, key=lambda each: each.scheduled_at)
    assert "24 expected times: " in client.get("/schedules").text


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
    assert "skips each expected time until somebody resumes it" in client.get("/schedules").text

    assert client.post(f"{href}/resume", data={"reason": ""}, follow_redirects=False).status_code == 303
    run = client.post(f"{href}/run-now", data={"reason": "to see"}, follow_redirects=False)
    assert run.status_code == 303
    installation.project()
    assert client.get("/executions?trigger=schedule").status_code == 200
    assert "Pause it" in client.get(href).text
    assert client.get("/schedules/nonsense").status_code == 404


def test_a_rule_is_tried_out_with_the_days_of_clock_changes_marked(client: TestClient) -> None:
    rule = 'preset: daily\nat: "02:30"\ntimezone: Europe/Berlin\nexcept: [2026-03-31]'
    page = client.get("/schedules/preview", params={"rule": rule, "from": "2026-03-28T00:00:00Z"})
    assert page.status_code == 200
    assert "2026-03-29 03:00:00" in page.text
    assert "clocks go forward" in page.text
    assert "exception, skipped" in page.text
    assert "2026-04-01 00:30:00" in page.text
    assert "On Monday to Friday at 09:00" in client.get("/schedules/preview", params={"rule": "0 9 * * mon-fri"}).text
    assert "short month" in client.get("/schedules/preview", params={"rule": "preset: monthly\nday: 31"}).text


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("0 9 * * fri-mon", "backwards"),
        ("cron: '0 9 * * *'\ntimezone: america/new_york", "America/New_York"),
        ("cron: '0 9 * * *'\nexcept: [holidays]", "there is no calendar `holidays`"),
        ("every: 1s", "PROCESSION_MIN_INTERVAL"),
        ("- 1\n- 2", "the fields of a trigger"),
        ("a: [", "not YAML"),
        (HOSTILE, "the minute"),
    ],
)
def test_a_bad_rule_is_refused_with_what_to_write(client: TestClient, rule: str, told: str) -> None:
    page = client.get("/schedules/preview", params={"rule": rule})
    assert page.status_code == 422
    assert told in page.text.replace("&#39;", "'")
    assert "<script>alert" not in page.text


def test_a_first_moment_that_is_no_time_is_refused(client: TestClient) -> None:
    assert client.get("/schedules/preview", params={"rule": "@daily", "from": "soon"}).status_code == 422


def test_the_editor_shows_when_the_schedules_of_its_text_come(client: TestClient) -> None:
    found = client.post("/processes/new/check", content=HOURLY).json()["schedules"]
    assert "tick" in found
    assert found.count("+00:00") == 5
    assert client.post("/processes/new/check", content=HOURLY.replace("cron", "corn")).json()["schedules"] is None
    unknown = HOURLY.replace('cron: "0 * * * *"', 'cron: "0 * * * *", except: [holidays]')
    assert "there is no calendar" in client.post("/processes/new/check", content=unknown).json()["schedules"]


def test_a_range_is_backfilled_after_a_preview_of_its_count(
    client: TestClient, installation: Installation, hourly: UUID
) -> None:
    href = f"/schedules/{hourly}"
    client.post(f"{href}/pause", data={"reason": "maintenance"})
    events = installation.log.stream(hourly)
    schedule = fold(None, events)
    assert schedule is not None
    later = datetime.now(UTC) + timedelta(hours=3)
    skipped = account_for_due(schedule, later, Cause(later, "worker:test"), terms_of)
    installation.log.append(Unit(hourly, len(events), skipped))
    installation.project()
    span = {"from": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}", "to": f"{later + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}"}

    preview = client.post(f"{href}/backfill", data={**span, "preview": "1"}).text
    assert "3 would start, 0 would stay as they are" in preview
    assert span["from"] in preview
    assert "3 expected = 3 skipped" in preview
    assert client.post(f"{href}/backfill", data={"from": "soon", "to": span["to"]}).status_code == 422
    wrong = client.post(f"{href}/backfill", data={"from": span["to"], "to": span["from"]})
    assert wrong.status_code == 422
    assert span["to"] in wrong.text

    assert client.post(f"{href}/backfill", data=span, follow_redirects=False).status_code == 303
    installation.project()
    assert "3 expected = 3 backfilled" in client.get(href).text
