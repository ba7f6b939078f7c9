"""Figures by day, of the window and of the equal period before."""

from collections import Counter
from collections.abc import Sequence

from domain.analytics.windows import AnalyticsDay
from queries.amounts import Amount
from queries.analytics.definition_texts import TEXTS
from queries.analytics.figures import TrendDay, TrendsAnswer
from queries.analytics.links import LinkedExecutions
from queries.analytics.requests import FiguresRequest
from queries.analytics.rollups import rollups
from queries.analytics.totals import MICROSECONDS, RunTotal, SketchRows, written
from queries.reading import Reading


def summarise_trends(reading: Reading, request: FiguresRequest, *, min_position: int | None = None) -> TrendsAnswer:
    """Return every day of the window, an empty one too, and of the period before. Raises NotYet."""
    window = request.window
    days: Sequence[AnalyticsDay] = (*window.before, *window.days)
    bounds = [*(each.begin for each in days), window.end]
    with rollups(reading, request.filter, min_position) as (found, freshness):
        archived = {row["period"]: row["archived"] for row in found.archived(bounds)}
        totals, sketches = [RunTotal() for _ in days], SketchRows(len(days))
        for number, sign, row in found.ended_by_day(bounds):
            totals[number].count(row, sign)
            sketches.add(number, row["sketch"], sign)
        uses: Counter[tuple[int, str]] = Counter()
        for number, sign, row in found.spending_by_day(bounds):
            uses[number, row["currency"]] += sign * row["uses"]
            totals[number].spend(row["currency"], row["amount"] if sign > 0 else row["amount"].copy_negate())
    for (number, currency), left in uses.items():
        if not left and not totals[number].spent[currency]:
            del totals[number].spent[currency]
    links = request.links(window)
    shown = [
        _day(*each, links, archived.get(n, 0))
        for n, each in enumerate(zip(days, totals, sketches.medians(), strict=True))
    ]
    return TrendsAnswer(
        items=shown[len(window.before) :],
        archived=sum(each.archived for each in shown[len(window.before) :]),
        previous=shown[: len(window.before)],
        window=request.shown(window),
        definitions=TEXTS,
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
    )


def _day(day: AnalyticsDay, total: RunTotal, median: float | None, links: LinkedExecutions, archived: int) -> TrendDay:
    of_day = links.of_period(day.begin, day.end)
    return TrendDay(
        day=day.day,
        partial=day.partial,
        ended=total.ended,
        completed=total.completed,
        failed=total.failed,
        timed_out=total.timed_out,
        cancelled=total.cancelled,
        duration_median=None if median is None else median / MICROSECONDS,
        cost=[Amount(written(amount), currency) for currency, amount in sorted(total.spent.items())],
        links=of_day.outcomes(),
        cost_links={currency: of_day.spent(currency) for currency in total.spent},
        archived=archived,
    )
