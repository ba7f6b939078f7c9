"""A fact: one event of the log in its place, decoded for readers, with the origin of its execution."""

from collections.abc import Callable, Collection, Iterable
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
    "processes_of",
    "read_facts",
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


def processes_of(facts: Iterable[Fact]) -> dict[bytes, bytes]:
    """Return the process of each execution among `facts`, which are of one page. Raises LookupError likewise."""
    return {stream: fact.origin.process_id for stream, fact in {fact.stream: fact for fact in facts}.items()}


_DECODERS: dict[str, Callable[[bytes], Any]] = {
    name: msgspec.json.Decoder(shape).decode for name, shape in SHAPES.items()
}


def read_facts(
    rows: Iterable[tuple[Any, ...]], topics: Collection[str], connection: Connection[Any] | None = None
) -> list[Fact]:
    """Return rows (position, stream, version, topic, state) of the log as facts, without those of other `topics`.

    connection: reads the origins that the page does not state; without it, facts have no origin.
    Raises msgspec.DecodeError when a state is not what its topic says.
    """
    decoders = _DECODERS
    if connection is None:
        return [Fact(p, stream, version, t, decoders[t](state)) for p, stream, version, t, state in rows if t in topics]
    rows = rows if isinstance(rows, list) else list(rows)
    page = OriginsOfPage(connection, rows)
    return [
        Fact(p, stream, version, t, decoders[t](state), page) for p, stream, version, t, state in rows if t in topics
    ]
