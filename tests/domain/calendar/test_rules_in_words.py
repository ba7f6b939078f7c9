"""A rule in words, as pages and the command line say it."""

from datetime import timedelta
from typing import Any

import pytest

from domain.calendar.words import in_words
from tests.domain.calendar.rules import rule


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"preset": "daily", "at": "09:00"}, "Every day at 09:00, UTC"),
        (
            {"preset": "weekdays", "at": "09:00", "timezone": "Europe/Berlin"},
            "On Monday to Friday at 09:00, Europe/Berlin",
        ),
        ({"preset": "weekly", "on": ("mon", "thu")}, "On Monday and Thursday at 00:00, UTC"),
        ({"preset": "monthly", "day": 31}, "On day 31 of the month (the last day in a shorter month) at 00:00, UTC"),
        ({"preset": "monthly", "day": 31, "short_month": "skip"}, "On day 31 of the month at 00:00, UTC"),
        ({"preset": "monthly", "day": "last"}, "On the last day of the month at 00:00, UTC"),
        ({"preset": "hourly"}, "Every hour, UTC"),
        ({"every": timedelta(minutes=90)}, "Every 1h30m, UTC"),
        ({"cron": "*/15 * * * *"}, "Every 15 minutes, UTC"),
        ({"cron": "* * * * *"}, "Every minute, UTC"),
        ({"cron": "5,20 * * * *"}, "Every hour at minute 5 and 20, UTC"),
        ({"cron": "*/15 9-17 * * mon-fri"}, "On Monday to Friday every 15 minutes from 09:00 to 17:59, UTC"),
        ({"cron": "0 9,13 * * *"}, "Every day at 09:00 and 13:00, UTC"),
        ({"cron": "0 9 13 * 5"}, "On day 13 of the month or on Friday at 09:00, UTC"),
        (
            {"cron": "0 9 * * 5L,mon#1"},
            "On the first Monday of the month and the last Friday of the month at 09:00, UTC",
        ),
        ({"cron": "0 9 * 1-3,12 *"}, "In January to March and December at 09:00, UTC"),
        ({"cron": "0 9 * * sat,sun"}, "On Saturday and Sunday at 09:00, UTC"),
        (
            {"cron": "0 9 1,15 * *", "jitter": timedelta(minutes=5)},
            "On day 1 and 15 of the month at 09:00, UTC, delayed by up to 5m",
        ),
        (
            {"preset": "daily", "except_": ["2026-12-24..2026-12-26"]},
            "Every day at 00:00, UTC, not on 3 days of exception",
        ),
        (
            {"preset": "daily", "except_": ["2026-12-24"], "on_exception": "next_day"},
            "Every day at 00:00, UTC, on the next day instead of 2026-12-24",
        ),
        (
            {"preset": "daily", "starts_at": "2026-02-01T00:00Z", "ends_at": "2026-03-01T00:00Z"},
            "Every day at 00:00, UTC, from 2026-02-01 00:00, until 2026-03-01 00:00",
        ),
    ],
)
def test_a_rule_in_words(fields: dict[str, Any], words: str) -> None:
    assert in_words(rule(**fields)) == words
