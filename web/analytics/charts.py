"""The charts of analytics, from the days of an answer."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

import msgspec
from markupsafe import Markup

from queries.analytics.figures import TrendDay, TrendsAnswer
from queries.analytics.outlines import OutlinePoint
from web.analytics.wording import day_name, plain_amount
from web.drawings.columns import ColumnPart, StackedColumn, columns
from web.drawings.curves import CurvePoint, curves
from web.drawings.outline import outline

MOST_CURRENCIES = 3
CostOfDay = tuple[str, str | None]
"""An amount, and the path of the list of its executions."""


class CostChart(msgspec.Struct, frozen=True):
    """The costs of each day in one currency, and those of the day as many days before, with links to executions.

    None: the day before is none of the period, or a cost of 0 has no executions.
    """

    drawing: Markup
    rows: list[tuple[date, CostOfDay, CostOfDay | None]]


def outline_of(points: Sequence[OutlinePoint]) -> Markup:
    """Return the small line of executions that ended, above the one of those that failed."""
    ended, failed = [each.ended for each in points], [each.failed for each in points]
    days = (points[-1].day.day - points[-2].day.day).days if len(points) > 1 else 1
    each = "a day" if days == 1 else f"in {days} days"
    shown = f"{sum(ended):,} ended since {day_name(points[0].day.day)}, at most {max(ended):,} {each}"
    return outline(ended, failed, f"{shown}; {sum(failed):,} failed")


def ended_chart(trends: TrendsAnswer) -> Markup:
    """Return the columns of completed and failed executions by day."""
    shown = [
        StackedColumn(
            day_name(each.day),
            (ColumnPart("ok", "completed", each.completed), ColumnPart("bad", "failed", each.failed)),
            each.partial,
        )
        for each in trends.items
    ]
    completed, failed = (sum(getattr(each, name) for each in trends.items) for name in ("completed", "failed"))
    label = f"Executions ended each day: {completed:,} completed and {failed:,} failed in {trends.window.days} days"
    return columns(shown, f"{label} and today")


def cost_charts(trends: TrendsAnswer) -> Iterator[tuple[str, CostChart]]:
    """Yield each currency with its line, against the line of the period before."""
    found = {cost.currency for day in (*trends.items, *trends.previous) for cost in day.cost}
    for currency in sorted(found)[:MOST_CURRENCIES]:
        now = [_amount(day, currency) for day in trends.items]
        before = [_amount(day, currency) for day in trends.previous]
        points = [
            CurvePoint(day_name(day.day), value, day.partial) for day, value in zip(trends.items, now, strict=True)
        ]
        label = f"Cost of calls each day in {currency}: {sum(now):f} in {trends.window.days} days and today, "

        def write(value: Decimal, currency: str = currency) -> str:
            return plain_amount(value, currency)

        drawing = curves(points, before, f"{label}{sum(before):f} in the {trends.window.days} days before", write)
        beside = [*(_cost(day, currency) for day in trends.previous), None]
        rows = [(day.day, _cost(day, currency), earlier) for day, earlier in zip(trends.items, beside, strict=True)]
        yield currency, CostChart(drawing, rows)


def _cost(day: TrendDay, currency: str) -> CostOfDay:
    return f"{_amount(day, currency):f}", day.cost_links.get(currency)


def _amount(day: TrendDay, currency: str) -> Decimal:
    return next((Decimal(each.amount) for each in day.cost if each.currency == currency), Decimal(0))
