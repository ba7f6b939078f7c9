"""Zones in definitions: a text names a zone of a place; a stored version keeps the zone that it names."""

from zoneinfo import available_timezones

import pytest

from domain.calendar.zones import parse_zone, zone_objection
from domain.language import load_definition, parse_definition

SOURCE = """
name: zoned
costs: {{daily: {{amount: "1", currency: USD}}, timezone: "{0}"}}
triggers:
  - {{id: morning, type: schedule, cron: "0 9 * * *", timezone: "{0}"}}
steps:
  - {{id: wait, type: timer, until: "2027-01-01T00:00", timezone: "{0}"}}
"""
PLACES = {"costs.timezone", "triggers[0].timezone", "steps[0].timezone"}


def found(zone: str, severity: str) -> dict[str, str]:
    return {
        problem.path: problem.hint
        for problem in parse_definition(SOURCE.format(zone)).problems
        if problem.severity == severity and problem.path in PLACES
    }


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("EST", "America/New_York"),
        ("EST5EDT", "America/New_York"),
        ("MST", "America/Denver"),
        ("HST", "Pacific/Honolulu"),
        ("PST8PDT", "America/Los_Angeles"),
        ("CET", "Europe/Berlin"),
        ("GMT+0", "UTC"),
        ("PST", "America/Los_Angeles"),
        ("est", "America/New_York"),
        ("right/UTC", "Europe/Berlin or UTC"),
    ],
)
def test_a_text_names_no_zone_by_an_abbreviation(written: str, meant: str) -> None:
    assert found(written, "error") == dict.fromkeys(PLACES, f"write a zone such as {meant}")


@pytest.mark.parametrize("zone", ["UTC", "GMT", "Europe/Berlin", "US/Eastern", "Etc/UTC", "Japan", "Etc/GMT+5"])
def test_every_other_zone_may_be_named(zone: str) -> None:
    assert found(zone, "error") == {}
    inverted = found(zone, "warning")
    assert inverted.keys() == (PLACES if zone == "Etc/GMT+5" else set())


def test_a_zone_that_is_all_capitals_and_has_no_place_is_an_abbreviation_or_utc() -> None:
    named = {zone for zone in available_timezones() if zone[:3].isupper() and "/" not in zone}
    allowed = {zone for zone in named if zone_objection(zone) is None}
    # Countries, and the two names of the world's time.
    assert allowed <= {"GMT", "UTC", "GB", "GB-Eire", "NZ", "NZ-CHAT", "PRC", "ROC", "ROK", "W-SU"}


@pytest.mark.parametrize("zone", ["EST", "CET", "GMT+0"])
def test_a_stored_version_keeps_its_zone(zone: str) -> None:
    wait = {"id": "wait", "type": "timer", "until": "2027-01-01T00:00", "timezone": zone}
    (step,) = load_definition({"name": "zoned", "steps": [wait]}).steps
    assert step.type == "timer"
    assert (step.timezone, parse_zone(zone).key) == (zone, zone)
