"""Figures by day, of the window and of the equal period before."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from domain.analytics.windows import AnalyticsDay
from queries.amounts import Amount
from queries.analytics.day_totals import ended_of, spent_of
from queries.analytics.days import day_spans
from queries.analytics.definition_texts import TEXTS
from queries.analytics.figures import TrendDay, TrendsAnswer
from queries.analytics.links import PeriodLinks, links_between
from queries.analytics.requests import FiguresRequest
from queries.analytics.rollups import FiguresSource, rollups
from queries.analytics.totals import MICROSECONDS, written


def summarise_trends(
    source: FiguresSource, request: FiguresRequest, *, min_position: int | None = None
) -> TrendsAnswer:
    """Return every day of the window, an empty one too, and of the period before. Raises NotYet."""
    window, in_all = request.window, request.filter.has_all
    days: Sequence[AnalyticsDay] = (*window.before, *window.days)
    bounds = window.bounds
    spans = day_spans(bounds)
    with rollups(source, request.filter, min_position) as (found, freshness):
        # All are under way at once: the server reads the costs while the medians are worked out.
        in_files = found.archived(bounds)
        ended = found.ended_by_day(spans, in_all=in_all)
        spending = found.spending_by_day(spans, in_all=in_all)
        archived = {row["period"]: row["archived"] for row in in_files.fetchall()}
        counts, medians = ended_of(spans, ended.fetchall())
        spent = spent_of(spans, spending.fetchall())
    links = links_between(request.links(window), bounds)
    shown = list(map(_day, days, links, counts, medians, spent))
    for number, of_day in archived.items():
        shown[number] = msgspec.structs.replace(shown[number], archived=of_day)
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
    linked: tuple[PeriodLinks, dict[str, str]],
    counts: Sequence[int],
    median: float | None,
    spent: Mapping[str, Decimal],
) -> TrendDay:
    completed, failed, timed_out, cancelled = counts
    links, of_outcomes = linked
    # By position: there are hundreds of days.
    return TrendDay(
        day.day,
        day.partial,
        completed + failed + cancelled,
        completed,
        failed,
        timed_out,
        cancelled,
        None if median is None else median / MICROSECONDS,
        [Amount(written(amount), currency) for currency, amount in spent.items()],
        of_outcomes,
        {currency: links.spent(currency) for currency in spent},
    )
