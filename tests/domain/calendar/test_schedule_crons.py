"""Cron expressions: what is refused names its field, and what is accepted comes when croniter says."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.calendar.cron import LONGEST, InvalidCron, check_cron, parse_cron, read_cron
from domain.calendar.rule import Rule
from tests.domain.calendar.rules import first

NOW = datetime(2026, 1, 1)
UTC_ZONE = ZoneInfo("UTC")
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("*/15 9-17 * * mon-fri", "*/15 9-17 * * mon-fri"),
        ("  5   9\t* * *\n", "5 9 * * *"),
        ("00 09 01 JAN,mar Sun", "00 09 01 JAN,mar Sun"),
        ("0 0 L * *", "0 0 L * *"),
        ("0 0 1,15,l * *", "0 0 1,15,l * *"),
        ("0 0 * * L5", "0 0 * * L5"),
        ("0 0 * * 5#2,fri#4", "0 0 * * 5#2,fri#4"),
        ("0 0 * * 0-7", "0 0 * * 0-7"),
        ("0 0 * * 5L,Lmon", "0 0 * * 5L,Lmon"),
        ("0 0 L * mon,fri#2", "0 0 L * mon,fri#2"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("0 0 31 2 mon", "0 0 31 2 mon"),
        ("0 22-2 * nov-feb sat-sun", "0 22-2 * nov-feb sat-sun"),
        ("@DAILY", "@daily"),
        (" @midnight ", "@midnight"),
    ],
)
def test_what_can_be_worked_out_is_kept_with_single_spaces(written: str, kept: str) -> None:
    assert check_cron(written) == kept


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "five fields"),
        ("9", "has 1"),
        ("0 * * * * *", "seconds and years are not among them"),
        ("0 * * * * * 2026", "seconds and years are not among them"),
        ("60 * * * *", "minute: `60` is not one of 0 to 59"),
        ("* 24 * * *", "hour: `24`"),
        ("* * 0 * *", "day of the month: `0`"),
        ("* * 1-32 * *", "day of the month: `32`"),
        ("* * * 13 *", "month: `13`"),
        ("* * * januar *", "month: `januar` is not one of 1 to 12, or jan to dec; did you mean `jan`?"),
        ("* * * * 8", "weekday: `8` is not one of 0 to 7, or sun to sat"),
        ("* * * mon *", "month: `mon`"),
        ("-1 * * * *", "minute: `-1`"),
        ("1,,2 * * * *", "minute: an entry of the list is empty"),
        ("*,5 * * * *", "minute: `*` is every one already"),
        ("*/0 * * * *", "minute: a step is a number from 1 to 59"),
        ("*/90 * * * *", "minute: a step is a number from 1 to 59"),
        ("*/ * * * *", "minute: a step"),
        ("5/5/5 * * * *", "minute: a step"),
        ("*-5 * * * *", "minute: `*` is not"),
        ("5-5 * * * *", "minute: `5-5` is a range from a value to itself"),
        ("* * * * 7-0", "weekday: `7-0` is a range from a value to itself"),
        ("50-10/15 * * * *", "minute: a range that goes on at the beginning takes no step"),
        ("H * * * *", "minute: `H` and `R` leave the time to chance"),
        ("* r/5 * * *", "hour: `H` and `R` leave the time to chance"),
        ("h(0-9)/3 * * * *", "minute: `H` and `R` leave the time to chance"),
        ("L * * * *", "minute: `L`"),
        ("* * ? * mon", "day of the month: `?` is written `*`"),
        ("* * 15W * *", "day of the month: `W`"),
        ("* * LW * *", "day of the month: `W`"),
        ("* * L-3 * *", "day of the month: days counted from the end"),
        ("* * * * L", "weekday: the last of its kind in a month is written as `5L`"),
        ("* * * * 8L", "weekday: `8` is not one of 0 to 7"),
        ("* * * * 5#6", "weekday: behind `#`"),
        ("* * * * 5#", "weekday: behind `#`"),
        ("* * * * #2", "weekday: `` is not one of"),
        ("* * * * mon-fri#1", "weekday: `mon-fri`"),
        ("@reboot", "known are @hourly"),
        ("@dayly", "did you mean `@daily`?"),
        ("CRON_TZ=Europe/Berlin 0 9 * * *", "`timezone`"),
        ("0\u00a09 * * *", "has 4"),
        ("٥ * * * *", "minute: `٥`"),
        ("1," * LONGEST, f"at most {LONGEST}"),
    ],
)
def test_what_cannot_is_refused_with_its_field(expression: str, says: str) -> None:
    with pytest.raises(InvalidCron, match=re.escape(says)) as refused:
        check_cron(expression)
    assert refused.value.code == "invalid_cron"


@pytest.mark.parametrize("expression", ["0 0 31 2 *", "0 0 30,31 feb *", "* * 31 4,jun,sep,11 *", "0 0 31 2/12 *"])
def test_a_day_that_no_year_has_is_refused(expression: str) -> None:
    with pytest.raises(InvalidCron) as refused:
        check_cron(expression)
    assert refused.value.code == "never_comes"


SPECIAL = ["L", "L5", "5#2", "7#1,1#5"]


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high).map(str)
    ranges = st.builds("{}-{}".format, numbers, numbers)
    steps = st.builds("{}/{}".format, st.just("*") | ranges | numbers, st.integers(1, high))
    return st.just("*") | st.lists(numbers | ranges | steps, min_size=1, max_size=3).map(",".join)


plain = st.tuples(*(fields(low, high) for low, high in RANGES)).map(" ".join)
expressions = st.tuples(*(fields(low, high) | st.sampled_from(SPECIAL) for low, high in RANGES)).map(" ".join)


def accepted(expression: str) -> str | None:
    try:
        return check_cron(expression)
    except InvalidCron:
        return None


@given(expressions)
@example("0 0 29 2 *")
@example("0 0 * 2 5#5")
@example("0 0 L,5 2 *")
@settings(max_examples=300, deadline=None)
def test_an_expression_comes_when_croniter_says(expression: str) -> None:
    """Where croniter reads it as we do: only one of the two day fields is set, and weekdays of one kind."""
    kept = accepted(expression)
    if kept is None:
        return
    _, _, days, _, weekdays = kept.split()
    mixed = "," in weekdays and re.search("[#Ll]", weekdays)
    if not mixed and "*" in (days, weekdays):
        times = croniter(kept, NOW)
        found = [
            each.at.replace(tzinfo=None) for each in first(5, Rule(read_cron(kept), UTC_ZONE), NOW.replace(tzinfo=UTC))
        ]
        assert [each for each in found if each > NOW] == [times.get_next(datetime) for each in found if each > NOW]


@given(plain)
@settings(max_examples=300, deadline=None)
def test_fields_name_the_values_that_they_say(expression: str) -> None:
    kept = accepted(expression)
    if kept is not None:
        cron = read_cron(kept)
        found = (cron.minutes, cron.hours, cron.days.of_month, cron.days.months, cron.days.weekdays)
        for written, (low, high), values in zip(kept.split(), RANGES, found, strict=True):
            if values is not None:
                assert set(values) == meant(written, low, high, 6 if high == 7 else high)


@given(plain)
@settings(max_examples=200, deadline=None)
def test_what_is_read_strictly_is_read_alike(expression: str) -> None:
    try:
        strict = parse_cron(expression)
    except InvalidCron:
        return
    assert strict == read_cron(check_cron(expression))


def meant(written: str, low: int, high: int, top: int) -> set[int]:
    """The values that a field of numbers names, worked out by hand."""
    values: set[int] = set()
    for item in written.split(","):
        span, _, step = item.partition("/")
        first, _, last = ("*", "", "") if span == "*" else span.partition("-")
        begin = low if first == "*" else int(first)
        end = top if first == "*" or (step and not last) else int(last or first)
        whole = range(begin, end + 1) if begin <= end else [*range(begin, top + 1), *range(low, end + 1)]
        values |= set(list(whole)[:: int(step or 1)])
    return {value % 7 if high == 7 else value for value in values}


@given(st.text(max_size=300) | st.text("0123456789*/-,LlWH#?@ \tmonjafeb", max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_text_is_accepted_or_refused_at_once(text: str) -> None:
    kept = accepted(text)
    assert kept is None or check_cron(kept) == kept
