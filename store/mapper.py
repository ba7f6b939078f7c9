"""The mapping between events and stored events: JSON by msgspec, under a literal name."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import Mapper, StoredEvent

from domain.catalogue import EVENTS, STORED_NAMES
from domain.event import Event

encode = msgspec.json.Encoder().encode
DECODERS = {name: msgspec.json.Decoder(kind).decode for name, kind in EVENTS.items()}


class UnknownEvent(LookupError):
    """The log holds an event that this release does not recognise; a newer release wrote it."""


def decode(topic: str, state: bytes) -> Event:
    """Return the event stored under `topic`. Raises UnknownEvent, or msgspec.DecodeError when `state` is not its."""
    decoder = DECODERS.get(topic)
    if decoder is None:
        raise UnknownEvent(f"the log holds {topic!r}, which this release does not know; a newer one wrote it")
    return decoder(state)


class StreamEvents(list[Event]):
    """Events of one stream, oldest first. size: the bytes of their stored form. before: events that come before."""

    size = 0
    before = 0


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event in its place: position in the log, stream and version within it, stored name."""

    position: int
    stream: UUID
    version: int
    topic: str
    event: Event


class EventMapper(Mapper[UUID]):
    """The library's mapper for our events: the library's own tools read and write the events that the log does."""

    def __init__(self) -> None:
        """Take no transcoder, compressor or cipher: the two methods need none."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """Return the stored form of `domain_event`, a Recorded."""
        return StoredEvent(
            originator_id=domain_event.stream,
            originator_version=domain_event.version,
            topic=STORED_NAMES[type(domain_event.event)],
            state=encode(domain_event.event),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """Return a Recorded; its position is 0 where the library does not state one."""
        return Recorded(
            getattr(stored_event, "id", 0),
            UUID(str(stored_event.originator_id)),
            stored_event.originator_version,
            stored_event.topic,
            decode(stored_event.topic, stored_event.state),
        )


def recorded(rows: Sequence[tuple[Any, ...]]) -> list[Recorded]:
    """Return rows of (position, stream, version, topic, state) as Recorded."""
    return [Recorded(p, stream, version, topic, decode(topic, state)) for p, stream, version, topic, state in rows]
