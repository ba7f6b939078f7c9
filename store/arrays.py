"""PostgreSQL arrays in the wire format: psycopg's own dumpers would take a third of the client's time for an append."""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import repeat
from operator import is_
from typing import cast
from uuid import UUID

from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_NULL = b"\xff\xff\xff\xff"
_UUID_LENGTH = b"\x00\x00\x00\x10"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # where PostgreSQL begins to count
_MICROSECOND = timedelta(microseconds=1)
_SHORT = 1 << 12
_LENGTHS = [size.to_bytes(4, "big") for size in range(_SHORT)]
_QUARTERS_BEFORE = int(_EPOCH.timestamp()) // 900


class Array(bytes):
    """A one-dimensional array in binary wire format; the subclass states the type of its elements."""

    __slots__ = ()


class UuidArray(Array):
    """uuid[]"""


class BigintArray(Array):
    """bigint[]"""


class IntArray(Array):
    """int[]"""


class BoolArray(Array):
    """bool[]"""


class TextArray(Array):
    """text[]"""


class ByteaArray(Array):
    """bytea[]"""


class JsonArray(Array):
    """json[]"""


class TimestamptzArray(Array):
    """timestamptz[]"""


def uuids(values: Sequence[UUID | None]) -> UuidArray:
    """Return a uuid[]; None is NULL."""
    if not values:
        return _NO_UUIDS
    first = values[0]
    if _alike(values):
        element = _NULL if first is None else _UUID_LENGTH + first.bytes
        return UuidArray(_header(2950, len(values), first is None) + element * len(values))
    return uuid_bytes([None if value is None else value.bytes for value in values])


def uuid_bytes(values: Sequence[bytes | None]) -> UuidArray:
    """Return a uuid[] of ids that come as their 16 bytes; None is NULL."""
    if not values:
        return _NO_UUIDS
    try:
        body = _UUID_LENGTH + _UUID_LENGTH.join(cast(Sequence[bytes], values))
    except TypeError:  # a None; a search for it would cost as much as the rest
        body = b"".join([_NULL if value is None else _UUID_LENGTH + value for value in values])
        return UuidArray(_header(2950, len(values), True) + body)
    return UuidArray(_header(2950, len(values)) + body)


def bigints(values: Sequence[int | None]) -> BigintArray:
    """Return a bigint[]; None is NULL. Raises struct.error for a number of more than 64 bits."""
    if not values:
        return _NO_BIGINTS
    return BigintArray(_numbers(20, "q", values))


def ints(values: Sequence[int | None]) -> IntArray:
    """Return an int[]; None is NULL. Raises struct.error for a number of more than 32 bits."""
    if not values:
        return _NO_INTS
    return IntArray(_numbers(23, "i", values))


def bools(values: Sequence[bool | None]) -> BoolArray:
    """Return a bool[]; None is NULL."""
    if not values:
        return _NO_BOOLS
    # struct takes None for False.
    return BoolArray(_numbers_or_null(16, "?", values) if None in values else _numbers(16, "?", values))


def texts(values: Sequence[str | None]) -> TextArray:
    """Return a text[]; None is NULL."""
    if not values:
        return _NO_TEXTS
    if values[0] is not None and _alike(values):
        return TextArray(_header(25, len(values)) + _variable([values[0].encode()]) * len(values))
    if _are_none(values):
        return TextArray(_nulls(25, len(values)))
    try:
        encoded = list(map(str.encode, cast(Sequence[str], values)))
    except TypeError:  # a None
        given = [None if value is None else value.encode() for value in values]
        return TextArray(_header(25, len(values), True) + _variable_or_null(given))
    return TextArray(_header(25, len(values)) + _variable(encoded))


def byteas(values: Sequence[bytes | None]) -> ByteaArray:
    """Return a bytea[]; None is NULL."""
    if not values:
        return _NO_BYTEAS
    return ByteaArray(_bytes(17, values))


def jsons(values: Sequence[bytes | None]) -> JsonArray:
    """Return a json[] of documents that come as UTF-8 text; None is SQL's NULL, not JSON's."""
    return JsonArray(_bytes(114, values))


def timestamptzs(values: Sequence[datetime | None]) -> TimestamptzArray:
    """Return a timestamptz[] of aware times, exact to the microsecond; None is NULL."""
    if not values:
        return _NO_TIMESTAMPTZS
    epoch, unit = _EPOCH, _MICROSECOND
    return TimestamptzArray(_numbers(1184, "q", [None if v is None else (v - epoch) // unit for v in values]))


def quarters_as_timestamptzs(values: Sequence[int]) -> TimestamptzArray:
    """Return a timestamptz[] of the beginnings of quarters of an hour, which count from 1970 on."""
    if not values:
        return _NO_TIMESTAMPTZS
    first = _QUARTERS_BEFORE
    return TimestamptzArray(_numbers(1184, "q", [(each - first) * 900_000_000 for each in values]))


def _alike(values: Sequence[object]) -> bool:
    """Return whether all values are one object, as the owner and the process of most rows of an append."""
    return all(map(is_, values, repeat(values[0])))


def _header(element: int, length: int, nulls: bool = False) -> bytes:
    return struct.pack("!iiIii", 1, nulls, element, length, 1) if length else struct.pack("!iiI", 0, 0, element)


def _numbers(element: int, code: str, values: Sequence[int | None]) -> bytes:
    size = struct.calcsize("!" + code)
    if _are_none(values):
        return _nulls(element, len(values))
    both: list[int | None] = [size] * (2 * len(values))
    both[1::2] = values
    try:
        return _header(element, len(values)) + struct.pack("!" + ("i" + code) * len(values), *both)
    except struct.error:
        if None not in values:
            raise
        return _numbers_or_null(element, code, values)


def _numbers_or_null(element: int, code: str, values: Sequence[int | None]) -> bytes:
    number = struct.Struct("!i" + code)
    pack, size = number.pack, number.size - 4
    body = b"".join([_NULL if value is None else pack(size, value) for value in values])
    return _header(element, len(values), True) + body


def _nulls(element: int, length: int) -> bytes:
    return _header(element, length, True) + _NULL * length


def _are_none(values: Sequence[object]) -> bool:
    return values[0] is None and values.count(None) == len(values)


def _bytes(element: int, values: Sequence[bytes | None]) -> bytes:
    if not values:
        return _header(element, 0)
    if _are_none(values):
        return _nulls(element, len(values))
    try:
        return _header(element, len(values)) + _variable(cast(Sequence[bytes], values))
    except TypeError:  # a None has no length
        return _header(element, len(values), True) + _variable_or_null(values)


def _variable(values: Sequence[bytes]) -> bytes:
    if len(values) == 1:  # as most arrays of a lone decision
        return len(values[0]).to_bytes(4, "big") + values[0]
    sizes = list(map(len, values))
    both = [b""] * (2 * len(values))
    both[::2] = map(_LENGTHS.__getitem__, sizes) if max(sizes) < _SHORT else [size.to_bytes(4, "big") for size in sizes]
    both[1::2] = values
    return b"".join(both)


def _variable_or_null(values: Sequence[bytes | None]) -> bytes:
    lengths, short = _LENGTHS, _SHORT
    both = [b""] * (2 * len(values))
    both[::2] = [
        _NULL if v is None else lengths[size] if (size := len(v)) < short else size.to_bytes(4, "big") for v in values
    ]
    both[1::2] = [v or b"" for v in values]
    return b"".join(both)


# Most arrays of most appends are empty.
_NO_UUIDS = UuidArray(_header(2950, 0))
_NO_BIGINTS = BigintArray(_header(20, 0))
_NO_INTS = IntArray(_header(23, 0))
_NO_BOOLS = BoolArray(_header(16, 0))
_NO_TEXTS = TextArray(_header(25, 0))
_NO_BYTEAS = ByteaArray(_header(17, 0))
_NO_TIMESTAMPTZS = TimestamptzArray(_header(1184, 0))


_OIDS: dict[type[Array], int] = {
    UuidArray: 2951,
    BigintArray: 1016,
    IntArray: 1007,
    BoolArray: 1000,
    TextArray: 1009,
    ByteaArray: 1001,
    JsonArray: 199,
    TimestamptzArray: 1185,
}


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> Buffer:
        return obj


def register(context: AdaptContext) -> None:
    """Register the dumpers of these arrays with `context`, a connection."""
    for kind, oid in _OIDS.items():
        dumper = type(f"{kind.__name__}Dumper", (_ArrayDumper,), {"oid": oid})
        context.adapters.register_dumper(kind, dumper)
