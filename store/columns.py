"""The columns of one append: what several decisions record, laid out as arrays."""

from datetime import datetime
from uuid import UUID

from domain.catalogue import STORED_NAMES
from domain.executions.events.execution import ExecutionStarted
from domain.executions.events.step import StepScheduled, StepStarted
from domain.executions.messages import RECIPIENTS
from domain.executions.outcomes import ABANDONS_ATTEMPT, LEAVES_WORKER
from domain.executions.slots import Slot
from domain.executions.timers import TimerKey
from store import arrays
from store.mapper import encode
from store.unit import Answered, MessageKey, Unit


class Columns:
    """Collects units; `parameters` are the arguments of the SQL function append_events, in its order."""

    __slots__ = (
        "answered",
        "done",
        "dropped",
        "due",
        "families",
        "gone",
        "guards",
        "handled",
        "messages",
        "ordinals",
        "slots",
        "states",
        "streams",
        "timers",
        "topics",
        "versions",
    )

    def __init__(self) -> None:
        self.streams: list[bytes] = []
        self.versions: list[int] = []
        self.topics: list[str] = []
        self.states: list[bytes] = []
        self.guards: dict[UUID, int] = {}
        self.done: list[tuple[bytes, str]] = []
        self.due: dict[tuple[bytes, str], tuple[int, UUID | None]] = {}
        self.timers: dict[tuple[bytes, TimerKey], datetime] = {}
        self.dropped: list[tuple[bytes, TimerKey]] = []
        self.messages: dict[MessageKey, tuple[UUID, bool]] = {}
        self.handled: list[MessageKey] = []
        self.slots: dict[UUID, Slot] = {}
        self.families: dict[UUID, int] = {}
        self.gone = False
        self.answered: list[Answered] = []
        self.ordinals: list[int] = []

    def add(self, unit: Unit) -> None:
        """Lay out one decision: its events, what they move on the to-do list, its messages, guards and answer."""
        stream, version = unit.stream.bytes, unit.version
        for event in unit.events:
            version += 1
            kind = type(event)
            self.streams.append(stream)
            self.versions.append(version)
            self.topics.append(STORED_NAMES[kind])
            self.states.append(encode(event))
            if kind is StepScheduled:
                self.due[stream, event.step] = (event.attempt, None)  # type: ignore[attr-defined]
            elif kind is StepStarted:
                if (stream, event.step) in self.due:  # type: ignore[attr-defined]
                    self.due[stream, event.step] = (event.attempt, unit.owner)  # type: ignore[attr-defined]
            elif kind in LEAVES_WORKER:
                if self.due.pop((stream, event.step), None) is None:  # type: ignore[attr-defined]
                    self.done.append((stream, event.step))  # type: ignore[attr-defined]
                if unit.owner is None and kind in ABANDONS_ATTEMPT:
                    self.gone = True  # some worker may have a call open that nobody waits for any more
            elif kind is ExecutionStarted and event.parent is not None:  # type: ignore[attr-defined]
                root = event.parent.root  # type: ignore[attr-defined]
                self.families[root] = self.families.get(root, 0) + 1
            if kind in RECIPIENTS and (recipient := RECIPIENTS[kind](event)) is not None:
                self.messages[unit.stream, version] = (recipient, unit.owner is not None)
        for timer, due_at in unit.timers_set.items():
            self.timers[stream, timer] = due_at
        for timer in unit.timers_dropped:
            self.dropped.append((stream, timer))
        for message in unit.handled:
            # Asked and answered in one append: nobody else need ever hear of it.
            if self.messages.pop(message, None) is None:
                self.handled.append(message)
        if unit.slot is not None:
            self.slots[unit.stream] = unit.slot
        for guarded, at in unit.guards:
            # Two decisions resting on different versions of one stream cannot both hold: the older one decides.
            self.guards[guarded] = min(at, self.guards.get(guarded, at))
        if unit.answered is not None:
            self.answered.append(unit.answered)
            self.ordinals.append(len(self.streams))

    def add_stored(self, stream: UUID, version: int, topic: str, state: bytes) -> None:
        """Lay out an event that is encoded already."""
        self.streams.append(stream.bytes)
        self.versions.append(version)
        self.topics.append(topic)
        self.states.append(state)

    def parameters(self) -> tuple[arrays.Array | bool, ...]:
        """The arguments of append_events, in its order."""
        return (
            arrays.uuid_bytes(self.streams),
            arrays.bigints(self.versions),
            arrays.texts(self.topics),
            arrays.byteas(self.states),
            arrays.uuids(list(self.guards)),
            arrays.bigints(list(self.guards.values())),
            arrays.uuid_bytes([stream for stream, _ in self.done]),
            arrays.texts([step for _, step in self.done]),
            arrays.uuid_bytes([stream for stream, _ in self.due]),
            arrays.texts([step for _, step in self.due]),
            arrays.ints([attempt for attempt, _ in self.due.values()]),
            arrays.uuids([owner for _, owner in self.due.values()]),
            arrays.texts([answered.key for answered in self.answered]),
            arrays.byteas([answered.fingerprint for answered in self.answered]),
            arrays.byteas([answered.answer for answered in self.answered]),
            arrays.ints(self.ordinals),
            arrays.uuid_bytes([stream for stream, _ in self.dropped]),
            arrays.texts([step for _, (step, _) in self.dropped]),
            arrays.texts([kind for _, (_, kind) in self.dropped]),
            arrays.uuid_bytes([stream for stream, _ in self.timers]),
            arrays.texts([step for _, (step, _) in self.timers]),
            arrays.texts([kind for _, (_, kind) in self.timers]),
            arrays.timestamptzs(list(self.timers.values())),
            *self._relations(),
            self.gone,
        )

    def _relations(self) -> tuple[arrays.Array, ...]:
        """What concerns other executions; most appends have nothing of it."""
        if not (self.messages or self.handled or self.slots or self.families):
            return _UNRELATED
        placed = {execution: place for execution, place in self.slots.items() if place.state != "left"}
        return (
            arrays.uuids([source for source, _ in self.handled]),
            arrays.bigints([version for _, version in self.handled]),
            arrays.uuids([source for source, _ in self.messages]),
            arrays.bigints([version for _, version in self.messages]),
            arrays.uuids([recipient for recipient, _ in self.messages.values()]),
            arrays.bools([claimed for _, claimed in self.messages.values()]),
            arrays.uuids([execution for execution in self.slots if execution not in placed]),
            arrays.uuids(list(placed)),
            arrays.uuids([place.process_id for place in placed.values()]),
            arrays.bools([place.state == "running" for place in placed.values()]),
            arrays.uuids(list(self.families)),
            arrays.ints(list(self.families.values())),
        )


_UNRELATED: tuple[arrays.Array, ...] = (
    arrays.uuids([]),
    arrays.bigints([]),
    arrays.uuids([]),
    arrays.bigints([]),
    arrays.uuids([]),
    arrays.bools([]),
    arrays.uuids([]),
    arrays.uuids([]),
    arrays.uuids([]),
    arrays.bools([]),
    arrays.uuids([]),
    arrays.ints([]),
)
