"""Totals of days, from the rows of rollups: counts, medians and amounts, each in one pass."""

from collections.abc import Sequence
from decimal import Decimal

from psycopg.rows import DictRow

from domain.money import add, subtract
from queries.analytics.days import DaySpans
from queries.analytics.totals import RunTotal, medians_of

_NOTHING = Decimal(0)


def ended_of(days: DaySpans, rows: Sequence[DictRow]) -> tuple[list[tuple[int, ...]], list[float | None]]:
    """Return by day the counts of executions that ended, as RunTotal has them, and the median of the sketches."""
    if not rows:
        return [(0,) * len(RunTotal.COUNTS)] * days.number, [None] * days.number
    import numpy as np

    (row,) = rows
    indices, numbers, signs = days.parts(row)
    counts = [
        # Counts are integers below 2^53, which doubles add up exactly.
        np.bincount(numbers, signs * row[name][indices], days.number).astype(np.int64).tolist()
        for name in RunTotal.COUNTS
    ]
    medians = medians_of(row["sketch"], row["sizes"], *days.places(row), days.number)
    return list(zip(*counts, strict=True)), medians


def spent_of(days: DaySpans, rows: Sequence[DictRow]) -> list[dict[str, Decimal]]:
    """Return what the calls of each day cost, by currency: of those that calls of the day have."""
    if not rows:
        return [{} for _ in range(days.number)]
    import numpy as np

    found: list[dict[str, Decimal]] = [{} for _ in range(days.number)]
    for row in rows:
        of_span, amounts = row["amount"], [_NOTHING] * days.number
        indices, numbers, signs = days.parts(row)
        for change, chosen in ((add, signs > 0), (subtract, signs < 0)):
            for index, number in zip(indices[chosen].tolist(), numbers[chosen].tolist(), strict=True):
                amounts[number] = change(amounts[number], of_span[index])
        uses = np.bincount(numbers, signs * row["uses"][indices], days.number).tolist()
        for of_day, amount, used in zip(found, amounts, uses, strict=True):
            if amount or used:
                of_day[row["currency"]] = amount
    return found
