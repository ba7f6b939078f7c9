"""Durations: every written form, and that printing and reading again changes nothing."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar.durations import LONGEST, parse_duration, print_duration


@pytest.mark.parametrize(
    ("written", "duration"),
    [
        ("500ms", timedelta(milliseconds=500)),
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
        ("1h30m", timedelta(minutes=90)),
        ("1d 2h 3m 4s 5ms", timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5)),
        ("1.5h", timedelta(minutes=90)),
        (" 0s ", timedelta()),
        ("PT1H30M", timedelta(minutes=90)),
        ("P1DT0.5S", timedelta(days=1, milliseconds=500)),
        ("P2W", timedelta(days=14)),
        (90, timedelta(seconds=90)),
        (0.1, timedelta(milliseconds=100)),
        ("90", timedelta(seconds=90)),
        (timedelta(minutes=1), timedelta(minutes=1)),
    ],
)
def test_a_duration_is_read_from_each_written_form(written, duration):
    assert parse_duration(written) == duration


@pytest.mark.parametrize(
    "written",
    [
        "",
        "s",
        "5 minutes",
        "5x",
        "30m1h",
        "1h1h",
        "P",
        "PT",
        "P1Y",
        "P1M",
        "PT1H30",
        "-5s",
        "1e3",
        "1_0",
        "٣s",
        "0.1ms1s",
    ],
)
def test_a_text_that_is_no_duration_is_refused_with_a_message_for_people(written):
    with pytest.raises(ValueError, match="duration"):
        parse_duration(written)


@pytest.mark.parametrize(
    "value",
    [-1, 1e-9, float("nan"), float("inf"), 1e300, 10**5000, True, None, [], "36501d", "x" * 999, timedelta(-1)],
    ids=type,
)
def test_a_value_that_is_no_duration_is_refused(value):
    with pytest.raises(ValueError, match="duration"):
        parse_duration(value)


@given(st.timedeltas(timedelta(), LONGEST))
def test_printing_and_reading_again_gives_the_same(duration):
    assert parse_duration(print_duration(duration)) == duration


@given(st.text("0123456789.dhmsPTWDHMS -e") | st.text() | st.floats() | st.integers())
def test_anything_else_is_a_value_error_or_prints_as_itself(value):
    try:
        duration = parse_duration(value)
    except ValueError:
        return
    assert timedelta() <= duration <= LONGEST
    assert parse_duration(print_duration(duration)) == duration


def test_a_negative_duration_has_no_written_form():
    with pytest.raises(ValueError, match="not negative"):
        print_duration(timedelta(seconds=-1))
