"""The columns of one append: events, guards and answers as arrays, and the moves of the events in the lists."""

from uuid import UUID

from domain.catalogue import STORED_NAMES
from domain.event import Event
from store import arrays
from store.lists.kept import Arguments, ListHandler
from store.lists.registry import LISTS
from store.unit import AnsweredStep, Unit

# By event, its stored name, which lists it moves (their number in LISTS) and how.
MOVED_BY: dict[type[Event], tuple[str, tuple[tuple[int, ListHandler], ...]]] = {
    kind: (
        name,
        tuple((n, kept.moves.handlers[kind]) for n, kept in enumerate(LISTS) if kind in kept.moves.handlers),
    )
    for kind, name in STORED_NAMES.items()
}


class Columns:
    """Collects units for one append."""

    def __init__(self) -> None:
        self._events: list[tuple[bytes, int, str, bytes]] = []
        """Stream, version, stored name and state of each."""
        self._bases: dict[bytes, int] = {}
        """By stream, the version before its first new event; the log must hold it."""
        self._guards: dict[UUID, int] = {}
        self._answered: list[AnsweredStep] = []
        self._ordinals: list[int] = []
        self._moves = [kept.moves() for kept in LISTS]

    def __len__(self) -> int:
        """Return the number of events so far."""
        return len(self._events)

    def add(self, unit: Unit) -> int:
        """Lay out one unit: events, their moves in the lists, guards, answer. Return the number of events so far."""
        events, moves = self._events, self._moves
        for change in unit.changes if unit.before else (unit,):
            if not change.size:
                change.encode()
            stream, version = change.stream.bytes, change.version
            if version and change.events:
                self._bases.setdefault(stream, version)
            for event, state in zip(change.events, change.states, strict=True):
                version += 1
                name, handlers = MOVED_BY[type(event)]
                events.append((stream, version, name, state))
                for n, handler in handlers:
                    handler(moves[n], event, change, stream, version)
            if change.timers_set or change.timers_dropped or change.handled or change.slot is not None:
                for kept in moves:
                    kept.add_change(change)
        for guarded, at in unit.guards:
            # Two decisions that rest on different versions of one stream cannot both hold: the older one decides.
            self._guards[guarded] = min(at, self._guards.get(guarded, at))
        if unit.answered is not None:
            self._answered.append(unit.answered)
            self._ordinals.append(len(self._events))
        return len(self._events)

    def add_stored(self, stream: UUID, version: int, topic: str, state: bytes) -> None:
        """Lay out an event that is encoded already; it moves no list. Raises ValueError for a gap between versions."""
        if self._events and self._events[-1][0] == stream.bytes:
            if self._events[-1][1] != version - 1:
                raise ValueError(f"stream {stream} would have no version between {self._events[-1][1]} and {version}")
        elif version > 1:
            self._bases.setdefault(stream.bytes, version - 1)
        self._events.append((stream.bytes, version, topic, state))

    def appended(self) -> Arguments:
        """Return the arguments of append_events_v3 after the first two, in its order."""
        streams, versions, topics, states = zip(*self._events, strict=True) if self._events else ((), (), (), ())
        return (
            arrays.uuid_bytes(streams),
            arrays.bigints(versions),
            arrays.texts(topics),
            arrays.byteas(states),
            arrays.uuid_bytes(list(self._bases)),
            arrays.bigints(list(self._bases.values())),
            arrays.uuids(list(self._guards)),
            arrays.bigints(list(self._guards.values())),
            arrays.texts([answered.key for answered in self._answered]),
            arrays.byteas([answered.fingerprint for answered in self._answered]),
            arrays.byteas([answered.answer for answered in self._answered]),
            arrays.ints(self._ordinals),
        )

    def moved(self) -> list[tuple[str, Arguments]]:
        """Return the SQL function of each list that has something to move, and its arguments after the first."""
        found = ((moves.function, moves.arguments()) for moves in self._moves)
        return [(function, arguments) for function, arguments in found if arguments]
