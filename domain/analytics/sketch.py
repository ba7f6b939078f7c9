"""A sketch: a histogram of values in fixed exponential buckets, from which quantiles are read. Pure.

Bucket i holds the values above 2^(i/32) up to 2^((i+1)/32), as an exponential histogram of OpenTelemetry of scale 5
does. Two sketches add up by integers, so their sum does not depend on the order, and a value can be taken out again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from math import ceil, log2
from struct import Struct

SCALE = 32
"""Buckets to each doubling of the value."""
ZERO = -32_768
"""The bucket of values that are not positive."""
ERROR = 0.011
"""A quantile of a sketch is off by at most this part of it."""
LAYOUT = (("bucket", "<i2"), ("count", "<u4"))
"""The pairs in the bytes of a sketch, by ascending bucket, as fields and types of numpy."""

Buckets = dict[int, int]
"""The count of each bucket that is not empty."""

_PAIR_BYTES = 6
# Between the ends of a bucket, the value whose largest relative error is least.
_MIDDLE = 2 / (2 ** (1 / SCALE) + 1)


def bucket_of(value: int | float | Decimal) -> int:
    """Return the bucket of a value."""
    return ceil(log2(value) * SCALE) - 1 if value > 0 else ZERO


def value_of(bucket: int) -> float:
    """Return the value that stands for all values of a bucket."""
    return 0.0 if bucket == ZERO else 2.0 ** ((bucket + 1) / SCALE) * _MIDDLE


def pack(buckets: Mapping[int, int]) -> bytes:
    """Return a sketch as bytes: pairs of a bucket and its count, without empty buckets."""
    # A page writes hundreds of sketches: as few steps of Python for each as there are, not for each bucket.
    filled = sorted(buckets)
    counts = [*map(buckets.__getitem__, filled)]
    if 0 in counts:
        filled, counts = [each for each in filled if buckets[each]], [each for each in counts if each]
    pairs = [0] * (2 * len(filled))
    pairs[::2], pairs[1::2] = filled, counts
    return _pairs(len(filled)).pack(*pairs)


def unpack(sketch: bytes) -> Buckets:
    """Return the buckets of a sketch."""
    layout = _pairs(len(sketch) // _PAIR_BYTES)
    pairs = layout.unpack(sketch)
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


@lru_cache(2_000)
def _pairs(number: int) -> Struct:
    """Return the layout of so many pairs."""
    return Struct("<" + "hI" * number)


def add_to(buckets: Buckets, others: Iterable[tuple[int, int]]) -> None:
    """Add the counts of other buckets, which may be negative, to `buckets`."""
    for bucket, count in others:
        buckets[bucket] = buckets.get(bucket, 0) + count


def sum_of(one: Buckets, other: Buckets) -> Buckets:
    """Return the sum of two sketches, of which `one` may become the sum; `other` stays as it is."""
    if len(one) < len(other):
        one, other = dict(other), one
    add_to(one, other.items())
    return one


def count(buckets: Buckets, values: Iterable[int | float | Decimal], times: int = 1) -> None:
    """Add each value to `buckets` so many times; a negative number takes it out."""
    # `bucket_of`, without a call for each value.
    found = Counter([ceil(log2(value) * SCALE) - 1 if value > 0 else ZERO for value in values])
    add_to(buckets, found.items() if times == 1 else [(bucket, times * number) for bucket, number in found.items()])


def quantile(buckets: Mapping[int, int], part: float) -> float | None:
    """Return the least value that at least `part` (0 to 1) of all values do not exceed (nearest rank), within `ERROR`.

    None: there are no values.
    """
    rank = max(1, ceil(part * sum(buckets.values())))
    for bucket in sorted(buckets):
        rank -= buckets[bucket]
        if rank <= 0:
            return value_of(bucket)
    return None
