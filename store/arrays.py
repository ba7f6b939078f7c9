"""PostgreSQL arrays built straight into the wire format: a third of the client's time for an append otherwise."""

import struct
from collections.abc import Iterable, Sequence
from uuid import UUID

from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_NULL = b"\xff\xff\xff\xff"
_UUID_LENGTH = b"\x00\x00\x00\x10"


class Array(bytes):
    """A one-dimensional array in binary wire format; the subclass says of what."""

    __slots__ = ()


class UuidArray(Array):
    """uuid[]"""


class BigintArray(Array):
    """bigint[]"""


class IntArray(Array):
    """int[]"""


class TextArray(Array):
    """text[]"""


class ByteaArray(Array):
    """bytea[]"""


def uuids(values: Sequence[UUID | None]) -> UuidArray:
    """A uuid[]; None is NULL."""
    nulls = any(value is None for value in values)
    body = [_NULL if value is None else _UUID_LENGTH + value.bytes for value in values]
    return UuidArray(_header(2950, len(values), nulls) + b"".join(body))


def uuid_bytes(values: Sequence[bytes]) -> UuidArray:
    """A uuid[] of ids given as their 16 bytes."""
    return UuidArray(_header(2950, len(values)) + b"".join([_UUID_LENGTH + value for value in values]))


def bigints(values: Sequence[int]) -> BigintArray:
    """A bigint[]."""
    packed = struct.pack("!" + "iq" * len(values), *_interleave(8, values))
    return BigintArray(_header(20, len(values)) + packed)


def ints(values: Sequence[int]) -> IntArray:
    """An int[]."""
    packed = struct.pack("!" + "ii" * len(values), *_interleave(4, values))
    return IntArray(_header(23, len(values)) + packed)


def texts(values: Sequence[str | None]) -> TextArray:
    """A text[]; None is NULL."""
    nulls = any(value is None for value in values)
    return TextArray(_header(25, len(values), nulls) + _variable(None if v is None else v.encode() for v in values))


def byteas(values: Sequence[bytes | None]) -> ByteaArray:
    """A bytea[]; None is NULL."""
    nulls = any(value is None for value in values)
    return ByteaArray(_header(17, len(values), nulls) + _variable(values))


def _header(element: int, length: int, nulls: bool = False) -> bytes:
    return struct.pack("!iiIii", 1, nulls, element, length, 1) if length else struct.pack("!iiI", 0, 0, element)


def _interleave(size: int, values: Sequence[int]) -> Iterable[int]:
    both = [size] * (2 * len(values))
    both[1::2] = values
    return both


def _variable(values: Iterable[bytes | None]) -> bytes:
    return b"".join([_NULL if v is None else len(v).to_bytes(4, "big") + v for v in values])


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> Buffer:
        return obj


def register(context: AdaptContext) -> None:
    """Teach `context` (a connection) to send these arrays."""
    for kind, oid in ((UuidArray, 2951), (BigintArray, 1016), (IntArray, 1007), (TextArray, 1009), (ByteaArray, 1001)):
        dumper = type(f"{kind.__name__}Dumper", (_ArrayDumper,), {"oid": oid})
        context.adapters.register_dumper(kind, dumper)
