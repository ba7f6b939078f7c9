"""Sketches: exact sums whatever the order, and quantiles within 1.1 % of the nearest rank."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.analytics.sketch import ERROR, LAYOUT, add_to, bucket_of, count, pack, quantile, sum_of, unpack, value_of

VALUES = st.lists(st.integers(0, 2**62) | st.decimals(0, 10**20, places=12), min_size=1, max_size=60)


def sketch_of(values):
    buckets = {}
    add_to(buckets, ((bucket_of(value), 1) for value in values))
    return buckets


@given(VALUES, st.sampled_from([0.0, 0.25, 0.5, 0.95, 1.0]))
def test_a_quantile_is_the_nearest_rank_within_its_error(values, part):
    exact = float(sorted(values)[max(1, math.ceil(part * len(values))) - 1])
    assert quantile(sketch_of(values), part) == pytest.approx(exact, rel=ERROR, abs=0)


@given(VALUES, VALUES)
def test_values_are_counted_together_and_taken_out_again(one, other):
    both = {}
    count(both, one + other)
    assert pack(both) == pack(sketch_of(one + other))
    count(both, other, -1)
    assert pack(both) == pack(sketch_of(one))


@given(VALUES, VALUES)
def test_sketches_add_up_and_a_part_can_be_taken_out_again(one, other):
    both = sketch_of(one)
    add_to(both, unpack(pack(sketch_of(other))).items())
    assert pack(both) == pack(sketch_of(other + one))
    add_to(both, ((bucket, -count) for bucket, count in sketch_of(other).items()))
    assert pack(both) == pack(sketch_of(one))


@given(VALUES, VALUES)
def test_the_sum_of_two_sketches_leaves_the_second_as_it_is(one, other):
    second = sketch_of(other)
    both = sum_of(sketch_of(one), second)
    both[bucket_of(1)] = both.get(bucket_of(1), 0) + 1
    assert pack(both) == pack(sketch_of([*one, *other, 1]))
    assert second == sketch_of(other)


def test_a_bucket_holds_its_upper_end_and_stands_for_its_middle():
    assert [bucket_of(value) for value in (1, 2, 1024)] == [-1, 31, 319]
    assert [bucket_of(value) for value in (0, -3, Decimal(0))] == [bucket_of(0)] * 3
    assert value_of(bucket_of(0)) == 0
    assert value_of(bucket_of(2)) / 2 == pytest.approx(2 / (1 + 2 ** (1 / 32)))


def test_no_values_have_no_quantile_and_no_bytes():
    assert quantile({}, 0.5) is None
    assert pack({3: 0}) == b""


def test_the_bytes_are_pairs_of_a_signed_bucket_and_a_count():
    assert LAYOUT == (("bucket", "<i2"), ("count", "<u4"))
    assert pack({5: 1, -32_768: 2}) == bytes([0x00, 0x80, 2, 0, 0, 0, 5, 0, 1, 0, 0, 0])
