"""Laws of the calculator: its instants are those that a clock, watched minute by minute, shows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calendar.instants import Fate, instants, next_instant, next_run
from domain.calendar.rule import Rule
from tests.domain.calendar.rules import minutes, rule

# Weeks around the changes of 2026, and one of Samoa's lost day.
ZONES = {
    "America/New_York": (date(2026, 3, 5), date(2026, 10, 29)),
    "Europe/Berlin": (date(2026, 3, 26), date(2026, 10, 22)),
    "Australia/Lord_Howe": (date(2026, 4, 2), date(2026, 10, 1)),
    "America/Santiago": (date(2026, 4, 2), date(2026, 9, 3)),
    "Africa/Casablanca": (date(2026, 2, 12), date(2026, 3, 19)),
    "Pacific/Apia": (date(2011, 12, 27),),
    "Asia/Kathmandu": (date(2026, 2, 25),),
}
DAYS = 7
numbers = st.sets(st.integers(0, 59), min_size=1, max_size=3)
hours = st.sets(st.integers(0, 23), min_size=1, max_size=4) | st.just(set(range(24)))
days = st.sampled_from(["* * *", "* * 0", "* * 1-5", "1-7 * *", "28-31 * 6", "*/2 * 0", "L * *", "* * 7L,sat#1"])


@st.composite
def rules(draw: Any) -> tuple[Rule, date]:
    zone = draw(st.sampled_from(list(ZONES)))
    start = draw(st.sampled_from(ZONES[zone]))
    fields = [",".join(map(str, sorted(draw(each)))) for each in (numbers, hours)]
    cron = f"{fields[0]} {fields[1]} {draw(days)}"
    dst = {
        "gap": draw(st.sampled_from(["shift", "skip"])),
        "overlap": draw(st.sampled_from(["first", "second", "both"])),
    }
    first = start + timedelta(draw(st.integers(-2, DAYS)))
    last = first + timedelta(draw(st.integers(0, 3)))
    exceptions = draw(st.sampled_from([[], [f"{first}..{last}"]]))
    moved = draw(st.sampled_from(["skip", "next_day", "previous_day"]))
    stated = rule(cron=cron, timezone=zone, dst=dst, except_=exceptions, on_exception=moved)
    return stated, start


def within(start: date) -> tuple[datetime, datetime]:
    begin = datetime(start.year, start.month, start.day, tzinfo=UTC)
    return begin, begin + timedelta(DAYS)


def found(of: Rule, start: date) -> list[Any]:
    begin, end = within(start)
    taken = []
    for each in instants(of, begin, inclusive=True):
        if each.at >= end:
            break
        taken.append(each)
    return taken


def watched(of: Rule, start: date) -> list[datetime]:
    """The instants of the days that the rule names, exceptions or not, as a watched clock shows them."""
    pattern: Any = of.pattern
    shown: dict[datetime, list[datetime]] = {}
    for minute in minutes(start - timedelta(1), DAYS + 2):
        shown.setdefault(minute.astimezone(of.zone).replace(tzinfo=None), []).append(minute)
    due: set[datetime] = set()
    last: datetime | None = None
    for minute in minutes(start - timedelta(1), DAYS + 2):
        wall = minute.astimezone(of.zone).replace(tzinfo=None)
        if last is not None and wall - last > timedelta(minutes=1) and of.gap == "shift":
            missing = (last + timedelta(minutes=n) for n in range(1, (wall - last) // timedelta(minutes=1)))
            if any(matches(pattern, each) for each in missing):
                due.add(minute)
        last = wall
        if matches(pattern, wall):
            same = shown[wall]
            if of.overlap == "both" or len(same) == 1 or minute == same[0 if of.overlap == "first" else -1]:
                due.add(minute)
    begin, end = within(start)
    return sorted(each for each in due if begin <= each < end)


def matches(pattern: Any, wall: datetime) -> bool:
    return wall.minute in pattern.minutes and wall.hour in pattern.hours and pattern.days.named(wall.date())


@given(rules())
@settings(max_examples=15, deadline=None)
def test_a_rule_comes_when_a_watched_clock_shows_its_times(drawn: tuple[Rule, date]) -> None:
    of, start = drawn
    plain = Rule(of.pattern, of.zone, of.gap, of.overlap)
    assert [each.at for each in found(plain, start)] == watched(plain, start)


@given(rules())
@settings(max_examples=60, deadline=None)
def test_instants_are_in_order_and_the_chain_of_the_next_ones(drawn: tuple[Rule, date]) -> None:
    of, start = drawn
    all_of_them = found(of, start)
    times = [each.at for each in all_of_them]
    assert times == sorted(set(times))
    begin, end = within(start)
    after, chain = begin - timedelta(microseconds=1), []
    while (each := next_instant(of, after)) is not None and each.at < end:
        chain.append(each)
        after = each.at
    assert chain == all_of_them
    runs = [each for each in all_of_them if each.fate is Fate.RUN]
    following = next_run(of, begin - timedelta(microseconds=1))
    assert following is not None
    assert (following == runs[0]) if runs else (following.at >= end)


@given(rules())
@settings(max_examples=60, deadline=None)
def test_exceptions_take_no_instant_away_and_moved_runs_are_due(drawn: tuple[Rule, date]) -> None:
    of, start = drawn
    begin, end = within(start)
    plain = {each.at for each in found(Rule(of.pattern, of.zone, of.gap, of.overlap), start)}
    excepted = found(of, start)
    by_time = {each.at: each for each in excepted}
    moved_here = {each.to for each in instants_around(of, start) if each.fate is Fate.MOVED}
    assert plain <= by_time.keys()
    assert by_time.keys() - plain <= moved_here
    for each in instants_around(of, start):
        assert (each.to is not None) == (each.fate in (Fate.MOVED, Fate.COALESCED))
        if each.to is not None and begin <= each.to < end:
            assert by_time[each.to].fate is Fate.RUN
        if each.fate is Fate.RUN:
            assert of.exceptions.around(each.local.date()) is None or "dst_gap" in each.flags


def instants_around(of: Rule, start: date) -> list[Any]:
    return [each for begin in (start - timedelta(DAYS), start, start + timedelta(DAYS)) for each in found(of, begin)]


@given(rules(), st.integers(0, DAYS * 1440), st.integers(0, DAYS * 1440))
@settings(max_examples=40, deadline=None)
def test_limits_take_a_part_of_the_instants(drawn: tuple[Rule, date], first: int, last: int) -> None:
    of, start = drawn
    begin, _ = within(start)
    starts, ends = begin + timedelta(minutes=min(first, last)), begin + timedelta(minutes=max(first, last))
    part = Rule(of.pattern, of.zone, of.gap, of.overlap, starts_at=starts, ends_at=ends)
    whole = found(Rule(of.pattern, of.zone, of.gap, of.overlap), start)
    assert [each.at for each in found(part, start)] == [each.at for each in whole if starts <= each.at < ends]
