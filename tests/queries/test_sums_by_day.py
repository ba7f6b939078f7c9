"""Sums of days of a zone, which are read as days of UTC and corrected, equal those of the spans of each day."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.analytics.sketch import add_to, unpack
from domain.analytics.windows import analytics_window
from projections.analytics.rollup import SpanRollup, span_of
from projections.analytics.rows import RUNS, SPENDING, RunsRow, SpendingRow
from queries.analytics.requests import FiguresFilter
from queries.analytics.rollups import TREE, RollupSums

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
PROCESS = bytes(16)
ENDS = st.tuples(st.integers(0, 70 * 24 * 60), st.integers(1, 9), st.sampled_from(["EUR", "USD"]))


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"]
)
@settings(max_examples=15)
@given(st.lists(ENDS, max_size=40))
def test_sums_of_days_are_those_of_their_spans(read_tables, zone, ends):
    runs, spending = SpanRollup(RUNS, RunsRow), SpanRollup(SPENDING, SpendingRow)
    for minutes, value, currency in ends:
        span = span_of(NOW + timedelta(hours=14, minutes=-minutes))
        row = runs.row(*span, PROCESS, 1, "manual", False)
        row.completed += 1
        add_to(row.sketch, ((value, 1),))
        spent = spending.row(*span, PROCESS, 1, "manual", TREE, currency)
        spent.uses, spent.amount = spent.uses + 1, spent.amount + Decimal(value)
    window = analytics_window(31, zone, NOW)
    bounds = [*(each.begin for each in (*window.before, *window.days)), window.end]
    with read_tables.connect() as connection, connection.transaction(force_rollback=True):
        for rollup in (runs, spending):
            rollup.spread()
            rollup.append(connection)
        found = RollupSums(connection, FiguresFilter(), [])
        days = list(pairwise(bounds))
        counts, sketches, amounts = Counter(), [{} for _ in days], Counter()
        for day, sign, row in found.ended_by_day(bounds):
            counts[day] += sign * row["completed"]
            add_to(sketches[day], ((bucket, sign * count) for bucket, count in pairs(row["sketch"])))
        for day, sign, row in found.spending_by_day(bounds):
            amounts[day, row["currency"]] += sign * row["amount"]
        for number, day in enumerate(days):
            (row,) = found.runs(day, "") or [{"completed": 0, "sketch": b""}]
            expected = {}
            add_to(expected, pairs(row["sketch"]))
            assert counts[number] == row["completed"]
            assert {bucket: count for bucket, count in sketches[number].items() if count} == expected
            spent = {row["currency"]: row["amount"] for row in found.spending(day, "")}
            assert {of: amounts[number, of] for of in ("EUR", "USD") if amounts[number, of]} == spent


def pairs(sketches):
    """The pairs of a bucket and a count of sketches, one after another."""
    return [pair for n in range(0, len(sketches or b""), 6) for pair in unpack(bytes(sketches[n : n + 6])).items()]
