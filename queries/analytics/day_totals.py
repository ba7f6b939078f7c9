"""Totals of days, from the rows of rollups: counts, medians and amounts, each in one pass."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

from psycopg.rows import DictRow

from domain.money import add, subtract
from queries.analytics.days import QUARTERS_OF_DAY, DaySpans, of_days
from queries.analytics.medians import medians_of
from queries.analytics.placed_sketches import PlacedSketches
from queries.analytics.totals import RunTotal

_NOTHING = Decimal(0)
_CURRENCY = itemgetter("currency")


def ended_of(days: DaySpans, rows: Sequence[DictRow]) -> tuple[list[list[int]], list[float | None]]:
    """Return by day the counts of executions that ended, as RunTotal has them, and the median of the sketches."""
    import numpy as np

    number = 2 * days.number + 1
    counts, sketches = np.zeros((number, len(RunTotal.COUNTS))), list[PlacedSketches]()
    # Together, rows of one time of day are in order, and take fewer passes.
    for _, grouped in groupby(rows, _time_of_day):
        together = [*grouped]
        places, signs = map(np.concatenate, zip(*map(days.places, together), strict=True))
        for of_name, name in zip(counts.T, RunTotal.COUNTS, strict=True):
            # Counts are integers below 2^53, which doubles add up exactly.
            of_name += np.bincount(places, signs * np.concatenate([row[name] for row in together]), number)
        sizes = np.concatenate([row["sizes"] for row in together])
        sketches.append(PlacedSketches(b"".join(row["sketch"] for row in together), sizes, places, signs))
    return of_days(counts).astype(np.int64).tolist(), medians_of(sketches, days.number)


def _time_of_day(row: DictRow) -> tuple[int, int]:
    """Return the grain of a row, and the time of day of its first span."""
    return row["grain"], row["quarters"][0] % QUARTERS_OF_DAY


def spent_of(days: DaySpans, rows: Sequence[DictRow]) -> list[dict[str, Decimal]]:
    """Return what the calls of each day cost, by currency in order: of those that calls of the day have."""
    import numpy as np

    found: list[dict[str, Decimal]] = [{} for _ in range(days.number)]
    for currency, of_currency in groupby(sorted(rows, key=_CURRENCY), _CURRENCY):
        amounts = [_NOTHING] * (2 * days.number + 1)
        uses = np.zeros(len(amounts))
        for row in of_currency:
            places, signs = days.places(row)
            given = map(Decimal, row["amounts"].split(" "))
            for place, sign, amount in zip(places.tolist(), signs.tolist(), given, strict=True):
                amounts[place] = (add if sign > 0 else subtract)(amounts[place], amount)
            uses += np.bincount(places, signs * row["uses"], len(amounts))
        shown = map(subtract, map(add, amounts[1::2], amounts[:-1:2]), amounts[2::2])
        for of_day, amount, used in zip(found, shown, of_days(uses).tolist(), strict=True):
            if amount or used:
                of_day[currency] = amount
    return found
