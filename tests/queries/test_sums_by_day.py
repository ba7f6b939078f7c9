"""Sums of days of a zone, which are read as days of UTC and corrected, equal those of the spans of each day.

Those of all processes, read from rows of their own, equal those of the rows of each process.
"""

from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.analytics.sketch import add_to, quantile, unpack
from domain.analytics.windows import analytics_window
from projections.analytics.rollup import SpanRollup, span_of
from projections.analytics.rows import ENDED, RUNS, SPENDING, SPENT, EndedRow, RunsRow, SpendingRow, SpentRow
from queries.analytics.day_totals import ended_of, spent_of
from queries.analytics.days import DaySpans
from queries.analytics.requests import FiguresFilter
from queries.analytics.rollups import TREE, RollupSums

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
PROCESSES = bytes(16), bytes([1] * 16)
ENDS = st.tuples(st.integers(0, 70 * 24 * 60), st.integers(1, 9), st.sampled_from(["EUR", "USD"]))


@contextmanager
def rolled_up(read_tables, ends):
    """Sums over executions of two processes that ended so many minutes ago, and over their only calls."""
    runs, spending = SpanRollup(RUNS, RunsRow), SpanRollup(SPENDING, SpendingRow)
    ended, spent = SpanRollup(ENDED, EndedRow), SpanRollup(SPENT, SpentRow)
    for number, (minutes, value, currency) in enumerate(ends):
        span = span_of(NOW + timedelta(hours=14, minutes=-minutes))
        process = PROCESSES[number % 2]
        row = runs.row(*span, process, 1, "manual", False)
        row.completed += 1
        add_to(row.sketch, ((value, 1),))
        for row in (spending.row(*span, process, 1, "manual", TREE, currency), spent.row(*span, currency)):
            row.uses, row.amount = row.uses + 1, row.amount + Decimal(value)
    ended.gather(runs, "called")
    with read_tables.connect() as connection, connection.transaction(force_rollback=True):
        for rollup in (runs, spending, ended, spent):
            rollup.spread()
            rollup.append(connection)
        yield RollupSums(connection, FiguresFilter(), [])


@pytest.mark.parametrize("in_all", [False, True])
@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"]
)
@settings(max_examples=15)
@given(st.lists(ENDS, max_size=40))
def test_sums_of_days_are_those_of_their_spans(read_tables, zone, in_all, ends):
    window = analytics_window(31, zone, NOW)
    bounds = [*(each.begin for each in (*window.before, *window.days)), window.end]
    with rolled_up(read_tables, ends) as found:
        spans = DaySpans(bounds)
        days = list(pairwise(bounds))
        counts, sketches, amounts = Counter(), [{} for _ in days], Counter()
        ended = found.ended_by_day(spans, in_all=in_all).fetchall()
        spending = found.spending_by_day(spans, in_all=in_all).fetchall()
        for row in ended:
            lasts = [*accumulate(row["sizes"])]
            for index, day, sign in parts(spans, row):
                counts[day] += sign * row["completed"][index]
                sketch = row["sketch"][lasts[index] - row["sizes"][index] : lasts[index]]
                add_to(sketches[day], ((bucket, sign * count) for bucket, count in pairs(sketch)))
        for row in spending:
            of_span = row["amounts"].split(" ")
            for index, day, sign in parts(spans, row):
                amounts[day, row["currency"]] += sign * Decimal(of_span[index])
        shown, medians = ended_of(spans, ended)
        costs = spent_of(spans, spending)
        for number, day in enumerate(days):
            (row,) = found.runs(day, "") or [{"completed": 0, "sketch": b""}]
            expected = {}
            add_to(expected, pairs(row["sketch"]))
            assert counts[number] == row["completed"] == shown[number][0]
            assert {bucket: count for bucket, count in sketches[number].items() if count} == expected
            assert medians[number] == quantile(expected, 0.5)
            spent = {row["currency"]: row["amount"] for row in found.spending(day, "")}
            assert {of: amounts[number, of] for of in ("EUR", "USD") if amounts[number, of]} == spent == costs[number]


def parts(spans, row):
    """The spans of a row that make up days: the index, the number of the day, and the sign."""
    for index, (place, sign) in enumerate(zip(*spans.places(row), strict=True)):
        if place % 2:
            yield index, place // 2, sign
        else:
            if place < 2 * spans.number:
                yield index, place // 2, sign
            if place:
                yield index, place // 2 - 1, -sign


def pairs(sketches):
    """The pairs of a bucket and a count of sketches, one after another."""
    return [pair for n in range(0, len(sketches or b""), 6) for pair in unpack(bytes(sketches[n : n + 6])).items()]
