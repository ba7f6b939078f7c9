"""The figures of today on the overview: words that compare, and the chart of what ended."""

from datetime import tzinfo

from markupsafe import Markup

from queries.analytics.today import TodayFigures
from web.drawings.columns import ColumnPart, StackedColumn, columns

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def weekday(today: TodayFigures, zone: tzinfo) -> str:
    """Return the name of the day of the week in `zone`."""
    return WEEKDAYS[today.begin.astimezone(zone).weekday()]


def compared(today: TodayFigures, zone: tzinfo) -> str:
    """Return how many completed, against the same weekday so far: ``9% more than last Thursday by now``."""
    before, now, day = today.completed_before, today.completed, weekday(today, zone)
    if not before:
        return f"none last {day} by now"
    change = round((now - before) / before * 100)
    if not change:
        return f"as many as last {day} by now"
    return f"{abs(change):,}% {'more' if change > 0 else 'fewer'} than last {day} by now"


def ended_today(today: TodayFigures, zone: tzinfo) -> Markup:
    """Return the columns of executions that ended in each hour."""
    shown = [
        StackedColumn(
            f"{each.begin.astimezone(zone).hour:02}",
            (ColumnPart("ok", "completed", each.completed), ColumnPart("bad", "failed", each.failed)),
        )
        for each in today.hours
    ]
    return columns(
        shown, f"Executions ended each hour of today: {today.completed:,} completed and {today.failed:,} failed"
    )
