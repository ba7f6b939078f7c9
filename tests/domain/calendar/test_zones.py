"""Instants as people write them: offsets, zones, and the hours that clocks skip or show twice."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest

from domain.calendar.zones import instant_of, parse_time, parse_zone


@pytest.mark.parametrize(
    ("written", "zone", "instant"),
    [
        ("2026-01-31T09:00:00Z", None, datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("2026-01-31 09:00+01:00", None, datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("20260131T0900Z", None, datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("2026-07-31T09:00", "Europe/Berlin", datetime(2026, 7, 31, 7, tzinfo=UTC)),
        ("2026-07-31T09:00Z", "Europe/Berlin", datetime(2026, 7, 31, 9, tzinfo=UTC)),
        # Clocks go from 2:00 to 3:00 on this day, and from 3:00 back to 2:00 on that one.
        ("2026-03-29T02:30", "Europe/Berlin", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-10-25T02:30", "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_an_instant(written: str, zone: str | None, instant: datetime) -> None:
    found = instant_of(parse_time(written), parse_zone(zone) if zone else None)
    assert found == instant
    assert found.tzinfo is UTC


@pytest.mark.parametrize("written", ["", "2026-01-31", "09:00", "2026-02-30T09:00Z", "tomorrow", "2026-01-31T25:00Z"])
def test_what_is_no_time_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="a time is written like"):
        parse_time(written)


def test_a_time_without_offset_and_zone_is_no_instant() -> None:
    with pytest.raises(ValueError, match="needs a timezone"):
        instant_of(parse_time("2026-01-31T09:00"), None)
    with pytest.raises(ValueError, match="the years 1 to 9999"):
        instant_of(parse_time("0001-01-01T00:00+10:00"), None)


@pytest.mark.parametrize("name", ["", "Europe", "Europe/Nowhere", "../../etc/passwd", "/etc/passwd", "UTC\0", "x" * 99])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="there is no time zone"):
        parse_zone(name)


def test_the_pinned_zones_count_and_not_those_of_the_system(tmp_path: Path) -> None:
    """A system whose files say that Berlin is at UTC changes nothing."""
    wrong = tmp_path / "Europe" / "Berlin"
    wrong.parent.mkdir()
    wrong.write_bytes(files("tzdata").joinpath("zoneinfo/UTC").read_bytes())
    program = "import {first}; from zoneinfo import ZoneInfo; from datetime import datetime as d; "
    program += "print(d(2026, 1, 1, tzinfo=ZoneInfo('Europe/Berlin')).utcoffset())"
    said = {}
    for first in ("datetime", "domain.calendar.zones"):
        command = [sys.executable, "-c", program.format(first=first)]
        environment = {**os.environ, "PYTHONTZPATH": str(tmp_path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        said[first] = done.stdout.strip()
    assert said == {"datetime": "0:00:00", "domain.calendar.zones": "1:00:00"}
