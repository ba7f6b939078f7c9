"""When a schedule fires: the two changes of the clock a year in several zones, short months, exceptions, intervals."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.calendar.instants import instants, jittered, next_run
from domain.calendar.rule import InvalidRule
from tests.domain.calendar.rules import ANCHOR, first, local, rule

CHANGES = """
# New York: 2026-03-08 02:00 does not exist, 2026-11-01 01:00 exists twice.
America/New_York | 30 2 * * * | 2026-03-07T12:00 |
  2026-03-08 03:00 -0400 dst_gap
  2026-03-09 02:30 -0400
America/New_York | 30 2 * * * | 2026-03-07T12:00 | gap=skip
  2026-03-09 02:30 -0400
  2026-03-10 02:30 -0400
America/New_York | 15,45 2 * * * | 2026-03-07T12:00 |
  2026-03-08 03:00 -0400 dst_gap
  2026-03-09 02:15 -0400
America/New_York | 30 2,3 * * * | 2026-03-07T12:00 |
  2026-03-08 03:00 -0400 dst_gap
  2026-03-08 03:30 -0400
  2026-03-09 02:30 -0400
America/New_York | 30 1 * * * | 2026-10-31T12:00 |
  2026-11-01 01:30 -0400 dst_overlap
  2026-11-02 01:30 -0500
America/New_York | 30 1 * * * | 2026-10-31T12:00 | overlap=second
  2026-11-01 01:30 -0500 dst_overlap
  2026-11-02 01:30 -0500
America/New_York | 30 1 * * * | 2026-10-31T12:00 | overlap=both
  2026-11-01 01:30 -0400 dst_overlap
  2026-11-01 01:30 -0500 dst_overlap
America/New_York | 0,30 1 * * * | 2026-10-31T12:00 | overlap=both
  2026-11-01 01:00 -0400 dst_overlap
  2026-11-01 01:30 -0400 dst_overlap
  2026-11-01 01:00 -0500 dst_overlap
  2026-11-01 01:30 -0500 dst_overlap
# Elapsed rules neither pause nor double, whatever the policy.
America/New_York | 0 * * * * | 2026-03-08T06:00 |
  2026-03-08 01:00 -0500
  2026-03-08 03:00 -0400
America/New_York | 0 0-23 * * * | 2026-11-01T05:00 | overlap=first
  2026-11-01 01:00 -0400
  2026-11-01 01:00 -0500
  2026-11-01 02:00 -0500
America/New_York | */30 */1 * * * | 2026-11-01T05:30 |
  2026-11-01 01:30 -0400
  2026-11-01 01:00 -0500
  2026-11-01 01:30 -0500
# Every second hour is fixed.
America/New_York | 0 */2 * * * | 2026-03-08T05:00 |
  2026-03-08 00:00 -0500
  2026-03-08 03:00 -0400 dst_gap
  2026-03-08 04:00 -0400
# Berlin: 2026-03-29 02:00 does not exist, 2026-10-25 02:00 exists twice.
Europe/Berlin | 30 2 * * * | 2026-03-28T12:00 |
  2026-03-29 03:00 +0200 dst_gap
  2026-03-30 02:30 +0200
Europe/Berlin | 0 9 * * 1-5 | 2026-03-27T12:00 |
  2026-03-30 09:00 +0200
  2026-03-31 09:00 +0200
# Lord Howe changes by 30 minutes: 2026-10-04 02:00 to 02:30, 2026-04-05 02:00 to 01:30.
Australia/Lord_Howe | 15 2 * * * | 2026-10-03T00:00 |
  2026-10-04 02:30 +1100 dst_gap
  2026-10-05 02:15 +1100
Australia/Lord_Howe | 45 1 * * * | 2026-04-04T00:00 | overlap=both
  2026-04-05 01:45 +1100 dst_overlap
  2026-04-05 01:45 +1030 dst_overlap
Australia/Lord_Howe | 0 * * * * | 2026-04-04T14:00 |
  2026-04-05 01:00 +1100
  2026-04-05 02:00 +1030
Australia/Lord_Howe | 0 * * * * | 2026-10-03T14:30 |
  2026-10-04 01:00 +1030
  2026-10-04 03:00 +1100
# Santiago changes at midnight: 2026-09-06 00:00 does not exist, 2026-04-04 23:00 exists twice.
America/Santiago | 0 0 * * * | 2026-09-05T12:00 |
  2026-09-06 01:00 -0300 dst_gap
  2026-09-07 00:00 -0300
America/Santiago | 30 23 * * * | 2026-04-04T12:00 |
  2026-04-04 23:30 -0300 dst_overlap
  2026-04-05 23:30 -0400
America/Santiago | 0 0,23 * * * | 2026-04-04T12:00 | overlap=second
  2026-04-04 23:00 -0400 dst_overlap
  2026-04-05 00:00 -0400
# No changes.
Asia/Kolkata | 30 2 * * * | 2026-03-28T12:00 |
  2026-03-29 02:30 +0530
  2026-03-30 02:30 +0530
# A day that a place has left out: Samoa had no 2011-12-30.
Pacific/Apia | 0 9 * * * | 2011-12-29T00:00 |
  2011-12-29 09:00 -1000
  2011-12-31 00:00 +1400 dst_gap
  2011-12-31 09:00 +1400
"""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def changes() -> list[Any]:
    """Return the cases of CHANGES: a rule and a moment on a line, and below it the instants that follow."""
    cases: list[Any] = []
    for line in CHANGES.strip().splitlines():
        if line.startswith("  "):
            cases[-1][-1].append(line.strip())
        elif not line.startswith("#"):
            zone, cron, after, policy = (part.strip() for part in line.split("|"))
            cases.append((zone, cron, after, dict(each.split("=") for each in policy.split()), []))
    return cases


@pytest.mark.parametrize(("zone", "cron", "after", "dst", "expected"), changes())
def test_changes_of_the_clock(zone: str, cron: str, after: str, dst: dict[str, Any], expected: list[str]) -> None:
    assert local(len(expected), rule(cron=cron, timezone=zone, dst=dst), at(after)) == expected


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 0 31 * *", ["01-31", "03-31", "05-31"]),
        ("0 0 29-31 * *", ["01-29", "01-30", "01-31", "03-29"]),
        ("0 0 L * *", ["01-31", "02-28", "03-31"]),
        ("0 0 1,L * *", ["01-01", "01-31", "02-01", "02-28"]),
        ("0 0 * * 0", ["01-04", "01-11"]),
        ("0 0 * * 7", ["01-04", "01-11"]),
        ("0 0 * * 1-5", ["01-01", "01-02", "01-05", "01-06"]),
        ("0 0 * * Mon-FRI", ["01-01", "01-02", "01-05", "01-06"]),
        ("0 0 * * 5-7", ["01-02", "01-03", "01-04", "01-09"]),
        ("0 0 * * fri-sun", ["01-02", "01-03", "01-04", "01-09"]),
        ("0 0 * * */2", ["01-01", "01-03", "01-04", "01-06"]),
        ("0 0 * * 1-7/2", ["01-02", "01-04", "01-05", "01-07"]),
        ("0 0 * * 5L", ["01-30", "02-27"]),
        ("0 0 * * L5", ["01-30", "02-27"]),
        ("0 0 * * friL", ["01-30", "02-27"]),
        ("0 0 * * Lfri", ["01-30", "02-27"]),
        ("0 0 * * 5#2", ["01-09", "02-13"]),
        ("0 0 * * mon#1,fri", ["01-02", "01-05", "01-09", "01-16"]),
        # Day of the month and weekday: either, also where the field is a step over every day.
        ("0 0 13 * 5", ["01-02", "01-09", "01-13", "01-16"]),
        ("0 0 */10 * 1", ["01-01", "01-05", "01-11", "01-12"]),
        ("0 0 10 * 0-7", ["01-01", "01-02", "01-03"]),
        ("0 0 * feb-mar 1", ["02-02", "02-09"]),
        ("@weekly", ["01-04", "01-11"]),
        ("@monthly", ["01-01", "02-01"]),
        ("@Yearly", ["01-01"]),
    ],
)
def test_days_of_an_expression(cron: str, expected: list[str]) -> None:
    assert [f"{each.local:%m-%d}" for each in first(len(expected), rule(cron=cron))] == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"preset": "hourly", "at": ":15"}, ["2026-01-01 00:15", "2026-01-01 01:15"]),
        ({"preset": "daily", "at": "09:00"}, ["2026-01-01 09:00", "2026-01-02 09:00"]),
        ({"preset": "weekdays"}, ["2026-01-01 00:00", "2026-01-02 00:00", "2026-01-05 00:00"]),
        ({"preset": "weekly", "at": "07:30"}, ["2026-01-05 07:30", "2026-01-12 07:30"]),
        ({"preset": "weekly", "on": ("thu", "sun")}, ["2026-01-01 00:00", "2026-01-04 00:00"]),
        ({"preset": "monthly"}, ["2026-01-01 00:00", "2026-02-01 00:00"]),
        ({"preset": "monthly", "day": 31}, ["2026-01-31 00:00", "2026-02-28 00:00 short_month", "2026-03-31 00:00"]),
        ({"preset": "monthly", "day": 31, "short_month": "skip"}, ["2026-01-31 00:00", "2026-03-31 00:00"]),
        ({"preset": "monthly", "day": 29}, ["2026-01-29 00:00", "2026-02-28 00:00 short_month", "2026-03-29 00:00"]),
        ({"preset": "monthly", "day": "last"}, ["2026-01-31 00:00", "2026-02-28 00:00"]),
        ({"every": timedelta(minutes=90)}, ["2026-01-01 01:30", "2026-01-01 03:00"]),
        (
            {"every": timedelta(minutes=90), "starts_at": "2026-01-01T00:10:00Z"},
            ["2026-01-01 00:10", "2026-01-01 01:40"],
        ),
        ({"preset": "daily", "starts_at": "2026-01-03T00:00:00Z"}, ["2026-01-03 00:00"]),
        ({"preset": "daily", "ends_at": "2026-01-02T00:00:00Z"}, ["2026-01-01 00:00"]),
    ],
)
def test_presets_intervals_and_limits(fields: dict[str, Any], expected: list[str]) -> None:
    found = [each.replace(" +0000", "") for each in local(len(expected) + ("ends_at" in fields), rule(**fields))]
    assert found == expected


def test_29_february_comes_in_leap_years() -> None:
    assert [each.at.year for each in first(3, rule(cron="0 0 29 2 *"))] == [2028, 2032, 2036]
    assert [each.at.year for each in first(2, rule(cron="0 0 29 2 *"), at("2095-01-01T00:00"))] == [2096, 2104]


@pytest.mark.parametrize(
    ("cron", "says"),
    [
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 4,6,9,11 *", "never comes"),
        ("0 0 * 2 mon#5", "not within five years"),
        ("0 0 * * fri-mon", "write 5-6,0-1"),
        ("0 22-2 * * *", "write 22-23,0-2"),
        ("5/15 * * * *", "write 5-59/15"),
        ("0 0 ? * *", "`?` is written `*`"),
        ("0 0 L-3 * *", "`L` for the last day"),
        ("0 0 15W * *", "on_exception"),
        ("R * * * *", "jitter"),
        ("0 0 0 * * *", "seconds"),
        ("0 0 * * L", "5L"),
    ],
)
def test_what_is_refused_says_what_to_write(cron: str, says: str) -> None:
    with pytest.raises(InvalidRule, match=says):
        rule(cron=cron)


def outcomes(count: int, after: str = "2026-01-01T00:00", **fields: Any) -> list[str]:
    return [
        f"{each.local:%m-%d %H:%M} {each.fate}" + (f" {each.to:%m-%d %H:%M}" if each.to else "")
        for each in first(count, rule(**fields), at(after))
    ]


def test_exceptions_are_skipped_by_the_date_of_the_rule() -> None:
    found = outcomes(3, cron="0 9 * * *", except_=["2026-01-02..2026-01-02"])
    assert found == ["01-01 09:00 run", "01-02 09:00 skipped", "01-03 09:00 run"]


def test_a_calendar_is_named() -> None:
    class Holidays:
        days = ("2026-01-02", "2026-01-03..2026-01-04")

    found = outcomes(5, cron="0 9 * * *", except_=["holidays", "2026-01-05"], calendars={"holidays": Holidays()})
    assert [each.split()[2] for each in found] == ["run", "skipped", "skipped", "skipped", "skipped"]
    with pytest.raises(InvalidRule, match="did you mean `holidays`"):
        rule(preset="daily", except_=["hollidays"], calendars={"holidays": Holidays()})


def test_an_exception_moves_to_the_next_day_that_is_none() -> None:
    found = outcomes(3, cron="0 9 1 * *", except_=["2026-01-01", "2026-01-02"], on_exception="next_day")
    assert found == ["01-01 09:00 moved 01-03 09:00", "01-03 09:00 run", "02-01 09:00 run"]


def test_an_exception_moves_to_the_day_before() -> None:
    found = outcomes(3, cron="0 9 3 * *", except_=["2026-01-02..2026-01-03"], on_exception="previous_day")
    assert found == ["01-01 09:00 run", "01-03 09:00 moved 01-01 09:00", "02-03 09:00 run"]


def test_a_moved_run_that_meets_another_is_coalesced_with_it() -> None:
    found = outcomes(3, cron="0 9 * * *", except_=["2026-01-01"], on_exception="next_day")
    assert found == ["01-01 09:00 coalesced 01-02 09:00", "01-02 09:00 run", "01-03 09:00 run"]
    found = outcomes(4, cron="0 9 * * sat,sun", except_=["2026-01-03..2026-01-04"], on_exception="next_day")
    assert found[:3] == ["01-03 09:00 moved 01-05 09:00", "01-04 09:00 coalesced 01-05 09:00", "01-05 09:00 run"]


def test_a_run_does_not_move_out_of_the_limits() -> None:
    found = outcomes(2, cron="0 9 1 * *", except_=["2026-01-01"], on_exception="next_day", ends_at="2026-01-02T00:00Z")
    assert found == ["01-01 09:00 skipped"]


def test_an_interval_has_exceptions_but_no_clock_time_to_move() -> None:
    found = outcomes(3, every=timedelta(hours=16), except_=["2026-01-02"])
    assert found == ["01-01 16:00 run", "01-02 08:00 skipped", "01-03 00:00 run"]
    with pytest.raises(InvalidRule, match="counts the time that passes"):
        rule(every=timedelta(hours=16), except_=["2026-01-02"], on_exception="next_day")


def test_the_next_run_is_found_past_years_of_exceptions() -> None:
    often = {"except_": ["2026-01-01..2085-12-31"]}
    for fields in ({"cron": "* * * * *"}, {"every": timedelta(seconds=10)}, {"preset": "daily"}):
        run = next_run(rule(**fields, **often), ANCHOR)
        assert run is not None
        assert run.at.replace(second=0) == at("2086-01-01T00:00")
    assert next_run(rule(cron="0 0 * * *", ends_at="2026-01-01T00:00Z"), ANCHOR) is None


def test_instants_end_with_the_years() -> None:
    late = datetime(9999, 12, 30, tzinfo=UTC)
    assert len(list(instants(rule(preset="daily", timezone="Pacific/Apia"), late))) <= 2
    assert len(list(instants(rule(preset="daily", timezone="Pacific/Pago_Pago"), late))) <= 2
    assert len(list(instants(rule(every=timedelta(hours=7)), late))) == 6


def test_a_delay_is_the_same_each_time_and_below_the_jitter() -> None:
    spread = rule(preset="hourly", jitter=timedelta(minutes=5))
    delays = set()
    for each in first(50, spread):
        due = jittered(spread, UUID(int=7), each.at)
        assert due == jittered(spread, UUID(int=7), each.at)
        assert each.at <= due < each.at + timedelta(minutes=5)
        delays.add(due - each.at)
    assert len(delays) > 40
    assert jittered(spread, UUID(int=8), ANCHOR) != jittered(spread, UUID(int=7), ANCHOR)


def test_a_time_that_exists_twice_moves_as_one_run() -> None:
    onto = {"cron": "0 * * * 6", "timezone": "America/New_York", "except_": ["2026-10-31"], "on_exception": "next_day"}
    moved = [each.to for each in first(24, rule(**onto), at("2026-10-31T04:00"))]
    runs = [each.at for each in first(48, rule(**onto), at("2026-10-31T04:00")) if each.local.day == 1]
    assert moved == runs
    assert len(runs) == 24
    away = {"cron": "0 1 * * 0", "timezone": "America/New_York", "except_": ["2026-11-01"], "on_exception": "next_day"}
    found = outcomes(3, "2026-11-01T00:00", **away, dst={"overlap": "both"})
    assert found == ["11-01 01:00 moved 11-02 06:00", "11-01 01:00 coalesced 11-02 06:00", "11-02 01:00 run"]
