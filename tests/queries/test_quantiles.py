"""Quantiles of sketches that are added up by numpy are those of one sketch of all values."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.analytics.sketch import ZERO, add_to, bucket_of, pack, quantile
from queries.analytics.medians import medians_of
from queries.analytics.placed_sketches import PlacedSketches
from queries.analytics.totals import SketchTotal

PARTS = (0.5, 0.95, 1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 10**9), max_size=12), max_size=5))
def test_sketches_that_are_added_up_have_the_quantiles_of_all_values(given_values: list[list[int]]) -> None:
    together: dict[int, int] = {}
    total = SketchTotal()
    for values in given_values:
        alone: dict[int, int] = {}
        for value in values:
            for buckets in (alone, together):
                buckets[bucket_of(value)] = buckets.get(bucket_of(value), 0) + 1
        total.add(pack(alone))
    assert total.quantiles(*PARTS) == [quantile(together, part) for part in PARTS]


SKETCHES = st.dictionaries(st.one_of(st.just(ZERO), st.integers(-3_000, 3_000)), st.integers(1, 1_000), max_size=6)


@given(st.lists(st.tuples(SKETCHES, SKETCHES), max_size=8), st.randoms(use_true_random=False), st.integers(1, 3))
def test_medians_of_rows_are_those_of_each_without_the_sketches_taken(sketches, random, groups):
    parts: list[tuple[bytes, int, int]] = []
    expected = []
    for number, (kept, taken) in enumerate(sketches):
        both = dict(taken)
        add_to(both, kept.items())
        parts += [(pack(both), 2 * number + 1, 1), (pack(taken), 2 * number + 1, -1)]
        expected.append(quantile(kept, 0.5))
    random.shuffle(parts)
    given_sketches = [placed(parts[first::groups]) for first in range(groups)]
    assert medians_of(given_sketches, len(sketches)) == expected


def placed(parts: list[tuple[bytes, int, int]]) -> PlacedSketches:
    sizes, places, signs = (
        np.array(each, int)
        for each in ([len(part[0]) for part in parts], *([part[at] for part in parts] for at in (1, 2)))
    )
    return PlacedSketches(b"".join(part for part, _, _ in parts), sizes, places, signs)
