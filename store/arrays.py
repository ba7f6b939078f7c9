"""PostgreSQL arrays in the wire format: psycopg's own dumpers would take a third of the client's time for an append."""

import struct
from collections.abc import Iterable, Sequence
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
    if None in values:
        body = [_NULL if value is None else _UUID_LENGTH + value for value in values]
        return UuidArray(_header(2950, len(values), True) + b"".join(body))
    return UuidArray(_header(2950, len(values)) + _UUID_LENGTH + _UUID_LENGTH.join(cast(Sequence[bytes], values)))


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
    return BoolArray(_numbers(16, "?", values))


def texts(values: Sequence[str | None]) -> TextArray:
    """Return a text[]; None is NULL."""
    if not values:
        return _NO_TEXTS
    if values[0] is not None and _alike(values):
        return TextArray(_header(25, len(values)) + _texts(values[:1]) * len(values))
    if None not in values:
        return TextArray(_header(25, len(values)) + _texts(values))
    if values.count(None) == len(values):
        return TextArray(_nulls(25, len(values)))
    return TextArray(_header(25, len(values), True) + _variable([None if v is None else v.encode() for v in values]))


def byteas(values: Sequence[bytes | None]) -> ByteaArray:
    """Return a bytea[]; None is NULL."""
    if not values:
        return _NO_BYTEAS
    nulls = None in values
    return ByteaArray(_header(17, len(values), nulls) + _variable(values))


def jsons(values: Sequence[bytes | None]) -> JsonArray:
    """Return a json[] of documents that come as UTF-8 text; None is SQL's NULL, not JSON's."""
    nulls = values.count(None)
    if nulls and nulls == len(values):
        return JsonArray(_nulls(114, nulls))
    return JsonArray(_header(114, len(values), nulls > 0) + _variable(values))


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
    if None in values:
        if values.count(None) == len(values):
            return _nulls(element, len(values))
        pack = struct.Struct("!i" + code).pack
        body = b"".join([_NULL if value is None else pack(size, value) for value in values])
        return _header(element, len(values), True) + body
    both: list[int | None] = [size] * (2 * len(values))
    both[1::2] = values
    return _header(element, len(values)) + struct.pack("!" + ("i" + code) * len(values), *both)


def _nulls(element: int, length: int) -> bytes:
    return _header(element, length, True) + _NULL * length


def _texts(values: Sequence[str | None]) -> bytes:
    encoded = [value.encode() for value in values if value is not None]
    return b"".join([len(value).to_bytes(4, "big") + value for value in encoded])


def _variable(values: Iterable[bytes | None]) -> bytes:
    return b"".join([_NULL if v is None else len(v).to_bytes(4, "big") + v for v in values])


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
