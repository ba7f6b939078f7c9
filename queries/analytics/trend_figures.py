"""Figures by day, of the window and of the equal period before."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from domain.analytics.windows import AnalyticsDay
from queries.amounts import Amount
from queries.analytics.day_totals import ended_of, spent_of
from queries.analytics.days import DaySpans
from queries.analytics.definition_texts import TEXTS
from queries.analytics.figures import TrendDay, TrendsAnswer
from queries.analytics.links import PeriodLinks
from queries.analytics.requests import FiguresRequest
from queries.analytics.rollups import rollups
from queries.analytics.totals import MICROSECONDS, written
from queries.reading import Reading


def summarise_trends(reading: Reading, request: FiguresRequest, *, min_position: int | None = None) -> TrendsAnswer:
    """Return every day of the window, an empty one too, and of the period before. Raises NotYet."""
    window, in_all = request.window, request.filter.has_all
    days: Sequence[AnalyticsDay] = (*window.before, *window.days)
    bounds = [*(each.begin for each in days), window.end]
    spans = DaySpans(bounds)
    with rollups(reading, request.filter, min_position) as (found, freshness):
        archived = {row["period"]: row["archived"] for row in found.archived(bounds)}
        ended = found.ended_by_day(spans, in_all=in_all)
        spending = found.spending_by_day(spans, in_all=in_all)
    totals = (request.links(window).between(bounds), *ended_of(spans, ended), spent_of(spans, spending))
    shown = [
        _day(day, archived.get(number, 0), links, counts, median, spent)
        for number, (day, links, counts, median, spent) in enumerate(zip(days, *totals, strict=True))
    ]
    before = len(window.before)
    return TrendsAnswer(
        items=shown[before:],
        archived=sum(each.archived for each in shown[before:]),
        previous=shown[:before],
        window=request.shown(window),
        definitions=TEXTS,
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
    )


def _day(
    day: AnalyticsDay,
    archived: int,
    links: PeriodLinks,
    counts: Sequence[int],
    median: float | None,
    spent: Mapping[str, Decimal],
) -> TrendDay:
    completed, failed, timed_out, cancelled = counts
    return TrendDay(
        day=day.day,
        partial=day.partial,
        ended=completed + failed + cancelled,
        completed=completed,
        failed=failed,
        timed_out=timed_out,
        cancelled=cancelled,
        duration_median=None if median is None else median / MICROSECONDS,
        cost=[Amount(written(amount), currency) for currency, amount in sorted(spent.items())],
        links=links.outcomes(),
        cost_links={currency: links.spent(currency) for currency in spent},
        archived=archived,
    )
