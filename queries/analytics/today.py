"""Today so far, against the same weekday and the week before: what ended, and what calls cost."""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
from psycopg.rows import DictRow

from domain.analytics.windows import analytics_window
from queries.amounts import Amount
from queries.analytics.rollups import ANALYTICS, TREE
from queries.analytics.spans import SpanSums, periods
from queries.analytics.totals import RunTotal, written
from queries.exchange import Question, answer
from queries.filters import Where
from queries.reading import Freshness, Reading, ReadModelRebuilding

WEEK = 7
_EARLIER, _REST = 0, 1
"""The same weekday until this time of day, and all between it and today."""
_HOUR = timedelta(hours=1)
_COUNTS = ", ".join(f"sum(r.{name})::bigint as {name}" for name in RunTotal.COUNTS)
_RUNS = "(select * from analytics_runs where not called)", "", _COUNTS
_SPENDING = f"(select * from analytics_spending where scope = '{TREE}')", "r.currency", "sum(r.amount) as amount"
_BOTH = f"""select period, {", ".join(RunTotal.COUNTS)}, null::text as currency, null::numeric as amount
from ({{runs}}) runs union all
select period, {", ".join("null" for _ in RunTotal.COUNTS)}, currency, amount from ({{spending}}) spending"""


class HourEnded(msgspec.Struct, frozen=True):
    """The executions that ended in an hour of today."""

    begin: datetime
    completed: int
    failed: int


class TodayFigures(msgspec.Struct, frozen=True):
    """Executions that no other one started, and that ended today; spent: what all calls of today cost.

    completed_before, spent_before: of the same weekday until this time of day. failure_rate: of today; usual_failures:
    of the seven days before; None without any.
    """

    begin: datetime
    completed: int
    failed: int
    completed_before: int
    failure_rate: float | None
    usual_failures: float | None
    spent: list[Amount]
    spent_before: list[Amount]
    hours: list[HourEnded]


def figures_of_today(
    reading: Reading, now: datetime, timezone: str, *, within: tuple[str, ...] = ()
) -> TodayFigures | None:
    """Return the figures of the day of `now` in a zone; None while the read model is built."""
    try:
        return answer(reading, today(now, timezone, within))
    except ReadModelRebuilding:
        return None


def today(now: datetime, timezone: str, within: tuple[str, ...]) -> Question[TodayFigures]:
    """Return the question for the figures of the day of `now` in a zone: both rollups in one statement."""
    window = analytics_window(WEEK, timezone, now)
    day = window.days[-1]
    hours = _hours(day.begin, day.end)
    bounds = [window.begin, min(window.begin + (now - day.begin), day.begin), *hours]
    where = Where()
    where.of_visible("r.process_id", within)
    of = periods(bounds)
    runs, spending = (SpanSums(*each, where).query(of.rows) for each in (_RUNS, _SPENDING))
    query = _BOTH.format(runs=runs, spending=spending)

    def view(rows: list[DictRow], _: Freshness) -> TodayFigures:
        totals = [RunTotal() for _ in bounds]
        for row in rows:
            if row["currency"] is None:
                totals[row["period"]].count(row)
            else:
                totals[row["period"]].spend(row["currency"], row["amount"])
        return _figures(totals, hours)

    return Question(ANALYTICS, query, of.given | where.parameters, view, ("process_catalogue",), binary=True)


def _figures(totals: list[RunTotal], hours: list[datetime]) -> TodayFigures:
    ended = totals[_REST + 1 : -1]
    completed, failed = sum(each.completed for each in ended), sum(each.failed for each in ended)
    week = (totals[_EARLIER], totals[_REST])
    return TodayFigures(
        begin=hours[0],
        completed=completed,
        failed=failed,
        completed_before=totals[_EARLIER].completed,
        failure_rate=_rate(failed, completed),
        usual_failures=_rate(sum(each.failed for each in week), sum(each.completed for each in week)),
        spent=_spent(ended),
        spent_before=_spent(week[:1]),
        hours=[HourEnded(begin, each.completed, each.failed) for begin, each in zip(hours[:-1], ended, strict=True)],
    )


def _hours(begin: datetime, end: datetime) -> list[datetime]:
    """Return the bounds of the hours of a day, which has 23 of them to 25."""
    return [*(begin + _HOUR * number for number in range(-(-(end - begin) // _HOUR))), end]


def _rate(failed: int, completed: int) -> float | None:
    return failed / (failed + completed) if failed + completed else None


def _spent(totals: "list[RunTotal] | tuple[RunTotal, ...]") -> list[Amount]:
    found: dict[str, Decimal] = {}
    for total in totals:
        for currency, amount in total.spent.items():
            found[currency] = found.get(currency, Decimal(0)) + amount
    return [Amount(written(amount), currency) for currency, amount in sorted(found.items())]
