"""Windows of analytics: days of 23 and 25 hours, odd offsets, dates that a zone leaves out, and their covers."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from domain.analytics.covers import cover, near_midnights
from domain.analytics.grains import DAY, HOUR, QUARTER, SIXTEEN_DAYS, begin_of
from domain.analytics.windows import analytics_window


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "now", "today_begins", "hours"),
    [
        ("UTC", "2026-11-28T18:00", "2026-11-28T00:00", 24),
        ("Europe/Berlin", "2026-03-29T12:00", "2026-03-28T23:00", 23),  # clocks go forward
        ("Europe/Berlin", "2026-10-25T12:00", "2026-10-24T22:00", 25),  # clocks go back
        ("Asia/Kolkata", "2026-11-28T18:29", "2026-11-27T18:30", 24),
        ("Asia/Kolkata", "2026-11-28T18:30", "2026-11-28T18:30", 24),
        ("Asia/Kathmandu", "2026-11-28T18:14", "2026-11-27T18:15", 24),
        ("Australia/Lord_Howe", "2026-04-04T20:00", "2026-04-04T13:00", 24.5),  # half an hour back
        ("Australia/Lord_Howe", "2026-10-03T20:00", "2026-10-03T13:30", 23.5),
        ("Pacific/Apia", "2011-12-31T01:00", "2011-12-30T10:00", 24),  # 30 December 2011 was left out
        ("America/Santiago", "2026-09-06T12:00", "2026-09-06T04:00", 23),  # midnight is skipped
        ("America/Havana", "2023-11-05T04:30", "2023-11-05T04:00", 25),  # midnight is shown twice
        ("America/Havana", "2023-11-05T05:30", "2023-11-05T04:00", 25),
    ],
)
def test_today_begins_at_the_midnight_of_the_zone(zone: str, now: str, today_begins: str, hours: float) -> None:
    window = analytics_window(1, zone, at(now))

    today = window.days[-1]
    assert (today.begin, today.end - today.begin) == (at(today_begins), timedelta(hours=hours))
    assert today.partial
    assert today.begin == window.today
    assert today.begin <= at(now) < today.end


@pytest.mark.parametrize("days", [1, 7, 30, 366])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Santiago"])
def test_a_window_has_its_complete_days_and_today_and_as_many_days_lie_before(zone: str, days: int) -> None:
    window = analytics_window(days, zone, at("2026-11-28T18:00"))

    every = (*window.before, *window.days)
    assert (len(window.before), len(window.days)) == (days, days + 1)
    assert [each.partial for each in every] == [False] * 2 * days + [True]
    assert all(one.end == other.begin and one.day < other.day for one, other in pairwise(every))
    assert all(each.begin.astimezone(ZoneInfo(zone)).date() == each.day for each in every)


def test_a_date_that_a_zone_leaves_out_is_no_day() -> None:
    window = analytics_window(2, "Pacific/Apia", at("2012-01-01T01:00"))

    assert [each.day for each in window.days] == [date(2011, 12, 29), date(2011, 12, 31), date(2012, 1, 1)]


@pytest.mark.parametrize("days", [0, -1, 367])
def test_other_numbers_of_days_are_refused(days: int) -> None:
    with pytest.raises(ValueError, match="1 to 366"):
        analytics_window(days, "UTC", at("2026-11-28T18:00"))


@pytest.mark.parametrize(
    ("begin", "end", "grains"),
    [
        ("2026-11-01T00:00", "2026-11-28T00:00", [DAY, SIXTEEN_DAYS, DAY]),
        ("2026-11-12T00:00", "2026-12-12T00:00", [DAY]),
        ("2026-11-11T00:00", "2026-12-13T00:00", [SIXTEEN_DAYS]),
        ("2026-10-24T22:00", "2026-10-26T23:00", [HOUR, DAY, HOUR]),
        ("2026-11-27T18:30", "2026-11-29T18:30", [QUARTER, HOUR, DAY, HOUR, QUARTER]),
        ("2026-11-27T18:15", "2026-11-27T20:45", [QUARTER, HOUR, QUARTER]),
        ("2026-11-27T18:15", "2026-11-27T18:45", [QUARTER]),
        ("2026-11-27T18:15", "2026-11-27T18:15", []),
        ("2026-11-27T23:00", "2026-11-28T01:00", [HOUR]),
    ],
)
def test_a_cover_takes_the_longest_spans_that_fit(begin: str, end: str, grains: list[timedelta]) -> None:
    found = cover(at(begin), at(end))

    assert [each.grain for each in found] == grains
    assert all(one.end == other.begin for one, other in pairwise(found))
    assert not found or (found[0].begin, found[-1].end) == (at(begin), at(end))


ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe")


@pytest.mark.parametrize("zone", ZONES)
def test_the_cover_of_each_day_is_whole_rollups(zone: str) -> None:
    window = analytics_window(366, zone, at("2026-11-28T18:00"))
    bounds = [*(each.begin for each in window.days), window.end]

    for begin, end in pairwise(bounds):
        found = cover(begin, end)
        assert sum((each.end - each.begin for each in found), timedelta()) == end - begin
        assert all(one.end == other.begin for one, other in pairwise(found))
        assert all((each.end - each.begin) % each.grain == timedelta() for each in found)
        assert all(begin_of(each.begin, each.grain) == each.begin for each in found)


@pytest.mark.parametrize("zone", [*ZONES, "Pacific/Auckland", "Pacific/Apia", "Pacific/Chatham"])
def test_days_between_near_midnights_corrected_at_both_ends_are_those_of_the_zone(zone: str) -> None:
    window = analytics_window(366, zone, at("2012-06-28T18:00"))
    bounds = [*(each.begin for each in window.days), window.end]
    midnights, ends = near_midnights(bounds)
    moved = [
        sum(((each.end - each.begin) * (1 if bound < midnight else -1) for each in end), timedelta())
        for bound, midnight, end in zip(bounds, midnights, ends, strict=True)
    ]
    assert all(begin_of(each, DAY) == each for each in midnights)
    assert all(-DAY / 2 <= each <= DAY / 2 for each in moved)
    lengths = [end - begin for begin, end in pairwise(midnights)]
    corrected = [length + one - other for length, (one, other) in zip(lengths, pairwise(moved), strict=True)]
    assert corrected == [end - begin for begin, end in pairwise(bounds)]
