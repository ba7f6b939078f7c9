"""What projections read of each event: its place in the log, and what it states in the shape they read it by."""

from collections.abc import Callable, Collection, Iterable
from typing import Any

import msgspec

from projections.shapes import SHAPES

__all__ = ["SHAPES", "Fact", "read_facts"]


class Fact(msgspec.Struct, gc=False):
    """One event in its place. stream: the 16 bytes of its id; version: its number within the stream, from 1."""

    position: int
    stream: bytes
    version: int
    topic: str
    event: Any


_DECODERS: dict[str, Callable[[bytes], Any]] = {
    name: msgspec.json.Decoder(shape).decode for name, shape in SHAPES.items()
}


def read_facts(rows: Iterable[tuple[Any, ...]], topics: Collection[str]) -> list[Fact]:
    """Rows (position, stream, version, topic, state) of the log as facts, those of other `topics` left out undecoded.

    Raises msgspec.DecodeError when a state is not what its topic says.
    """
    decoders = _DECODERS
    return [Fact(p, stream, version, t, decoders[t](state)) for p, stream, version, t, state in rows if t in topics]
