"""A sketch: a histogram of values in fixed exponential buckets, from which quantiles are read. Pure.

Bucket i holds the values above 2^(i/32) up to 2^((i+1)/32), as an exponential histogram of OpenTelemetry of scale 5
does. Two sketches add up by integers, so their sum does not depend on the order, and a value can be taken out again.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from math import ceil, log2

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

_PAIR = struct.Struct("<hI")
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
    return b"".join([_PAIR.pack(bucket, buckets[bucket]) for bucket in sorted(buckets) if buckets[bucket]])


def unpack(sketch: bytes) -> Buckets:
    """Return the buckets of a sketch."""
    return dict(_PAIR.iter_unpack(sketch))


def add_to(buckets: Buckets, others: Iterable[tuple[int, int]]) -> None:
    """Add the counts of other buckets, which may be negative, to `buckets`."""
    for bucket, count in others:
        buckets[bucket] = buckets.get(bucket, 0) + count


def count(buckets: Buckets, values: Iterable[int | float | Decimal], times: int = 1) -> None:
    """Add each value to `buckets` so many times; a negative number takes it out."""
    for bucket, found in Counter(map(bucket_of, values)).items():
        buckets[bucket] = buckets.get(bucket, 0) + times * found


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
