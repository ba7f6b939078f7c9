"""The next instant of a rule is found in bounded time, however many days of exception stand around it."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.calendar.instants import next_instant, next_run
from tests.domain.calendar.rules import ANCHOR, rule

MOST_SECONDS = 2.0
EVERY_OTHER_DAY = [(date(2026, 1, 1) + timedelta(days=2 * number)).isoformat() for number in range(300)]
TREATMENTS = ("skip", "next_day", "previous_day")


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_exceptions_that_the_rule_never_meets_cost_little(treatment: str) -> None:
    stated = rule(cron="* 0-22 29 2 *", except_=EVERY_OTHER_DAY, on_exception=treatment)
    begin = time.thread_time()
    found = next_instant(stated, ANCHOR)
    # For each time on the clock of each exception, this took 25 seconds.
    assert time.thread_time() - begin < MOST_SECONDS
    assert found is not None
    assert found.at == datetime(2028, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize("treatment", TREATMENTS)
@pytest.mark.parametrize("cron", ["0 0 * * *", "* * * * *"])
def test_an_exception_of_centuries_is_passed_over_at_once(cron: str, treatment: str) -> None:
    stated = rule(cron=cron, except_=["2026-01-01..2999-12-31"], on_exception=treatment)
    begin = time.thread_time()
    found = next_run(stated, ANCHOR)
    # Day by day, this took 13 seconds.
    assert time.thread_time() - begin < MOST_SECONDS
    assert found is not None
    assert found.at == datetime(3000, 1, 1, tzinfo=UTC)
