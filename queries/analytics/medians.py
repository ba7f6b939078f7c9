"""Medians of days, from sketches of their spans, all worked out together."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from domain.analytics.sketch import ZERO, value_of
from queries.analytics.days import of_days
from queries.analytics.placed_sketches import PlacedPairs, PlacedSketches

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, Any]

DAYS_AT_ONCE = 64
"""Days in one pass: more of them would need memory anew each time, which takes longer than the passes."""


def medians_of(given: Sequence[PlacedSketches], number: int) -> list[float | None]:
    """Return the median of each day. number: of the days."""
    import numpy as np

    found = [pairs for each in given if len((pairs := PlacedPairs(each.in_order())).buckets)]
    if not found:
        return [None] * number
    least = _columns(found)
    width = max(int(each.buckets.max()) for each in found) - least + 1
    medians: list[float | None] = []
    for first in range(0, number, DAYS_AT_ONCE):
        many = min(DAYS_AT_ONCE, number - first)
        parts = [part for each in found if (part := each.of(first, many, width))]
        if not parts:
            medians += [None] * many
            continue
        cells, counts = (np.concatenate(each) for each in zip(*parts, strict=True))
        cells -= least
        summed = np.bincount(cells, counts, (2 * many + 1) * width).reshape(2 * many + 1, width)
        medians += _medians(of_days(summed), least)
    return medians


def _columns(given: Sequence[PlacedPairs]) -> int:
    """Return the bucket before them all. The bucket of zero, far from the others, takes its place."""
    import numpy as np

    least = min(int(each.buckets.min()) for each in given)
    if least > ZERO:
        return least - 1
    others = [int(found.min()) for each in given if len(found := each.buckets[each.buckets != ZERO])]
    least = min(others, default=1) - 1
    for each in given:
        each.buckets = np.where(each.buckets == ZERO, least, each.buckets)
    return least


def _medians(counts: "Numbers", least: int) -> Iterator[float | None]:
    """Yield the median of each row of counts by bucket, of which `least` has zeros."""
    import numpy as np

    rows, width = counts.shape
    # Counts are not negative, so their sums over all rows ascend.
    summed = counts.reshape(-1).cumsum()
    lasts = summed[width - 1 :: width]
    befores = np.concatenate(((0.0,), lasts[:-1]))
    whole = lasts - befores
    found = summed.searchsorted(befores + np.maximum(1, np.ceil(0.5 * whole))) - np.arange(rows) * width
    places = found.tolist()
    values: dict[int, float | None] = {place: value_of(least + place) if place else 0.0 for place in set(places)}
    for place, count in zip(places, whole.tolist(), strict=True):
        yield values[place] if count else None
