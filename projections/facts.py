"""A fact: one event of the log in its place, decoded for readers, with the origin of its execution."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection

from domain.catalogue import STORED_NAMES
from domain.executions.events.outcomes import ATTEMPT_STATUS, EXECUTION_STATUS
from domain.executions.state.evolution import evolved_events
from projections.origins import NOWHERE, Origin, OriginsOfPage
from projections.shapes import SHAPES

__all__ = [
    "OF_EXECUTIONS",
    "OF_STEPS",
    "SHAPES",
    "STATUS_OF_EXECUTION",
    "STATUS_OF_STEP",
    "Fact",
    "Latest",
    "latest_of",
    "processes_of",
    "read_facts",
    "read_latest",
]

# The stored names of the events of an execution, and of those among them that happen to one step.
OF_EXECUTIONS: frozenset[str] = frozenset(STORED_NAMES[kind] for kind in evolved_events())
OF_STEPS: frozenset[str] = frozenset(
    name
    for name in OF_EXECUTIONS
    if any(field.name == "step" and field.type is str for field in msgspec.structs.fields(SHAPES[name]))
)
# The status of an execution, or of a step, after an event, by its stored name.
STATUS_OF_EXECUTION = {STORED_NAMES[kind]: status for kind, status in EXECUTION_STATUS.items()}
STATUS_OF_STEP = {STORED_NAMES[kind]: status for kind, status in ATTEMPT_STATUS.items()}


class Fact(msgspec.Struct, gc=False):
    """One event in its place. stream: the 16 bytes of its id; version: its number within the stream, from 1."""

    position: int
    stream: bytes
    version: int
    topic: str
    event: Any
    page: OriginsOfPage = NOWHERE

    @property
    def origin(self) -> Origin:
        """The origin of the fact's execution. Raises LookupError if the stream is no execution's."""
        return self.page.origin(self.stream)

    @property
    def has_origin(self) -> bool:
        """Whether the log has the start of the fact's execution."""
        return self.page.has(self.stream)

    @property
    def line(self) -> list[tuple[bytes, Origin]]:
        """The fact's execution and those above it with their origins, the root first. Raises LookupError likewise."""
        return self.page.line(self.stream)


class Latest(msgspec.Struct, gc=False):
    """The latest event of an execution on a page. stream: the 16 bytes of its id; at: when it happened."""

    stream: bytes
    position: int
    at: datetime


def processes_of(facts: Iterable[Fact]) -> dict[bytes, bytes]:
    """Return the process of each execution among `facts`, which are of one page. Raises LookupError likewise."""
    streams = {fact.stream: fact for fact in facts}
    origins = next(iter(streams.values())).page.all() if streams else {}
    return {stream: origins[stream].process_id for stream in streams}


class _At(msgspec.Struct, gc=False):
    at: datetime


_decode_at = msgspec.json.Decoder(_At).decode
_DECODERS: dict[str, Callable[[bytes], Any]] = {
    name: msgspec.json.Decoder(shape).decode for name, shape in SHAPES.items()
}


def read_facts(
    rows: Sequence[tuple[Any, ...]], topics: Collection[str], connection: Connection[Any] | None = None
) -> Iterator[Fact]:
    """Yield rows (position, stream, version, topic, state) of the log as facts, without those of other `topics`.

    One by one, so that most are folded and gone while they are in the processor's cache.
    connection: reads the origins that the page does not state; without it, facts have no origin.
    Raises msgspec.DecodeError when a state is not what its topic says.
    """
    decoders = _DECODERS
    page = NOWHERE if connection is None else OriginsOfPage(connection, rows)
    return (
        Fact(p, stream, version, t, decoders[t](state), page) for p, stream, version, t, state in rows if t in topics
    )


def read_latest(rows: Iterable[tuple[Any, ...]]) -> list[Latest]:
    """Return the latest event of each execution among `rows` of the log. Raises msgspec.DecodeError likewise."""
    last = {row[1]: row for row in rows if row[3] in OF_EXECUTIONS}
    return [Latest(stream, row[0], _decode_at(row[4]).at) for stream, row in last.items()]


def latest_of(facts: Iterable[Fact]) -> list[Latest]:
    """Return the latest event of each execution among `facts`, which are in the order of the log."""
    last = {fact.stream: fact for fact in facts if fact.topic in OF_EXECUTIONS}
    return [Latest(fact.stream, fact.position, fact.event.at) for fact in last.values()]
