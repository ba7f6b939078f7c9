"""Given events, when a command, then events: on the real log, without a door."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar
from uuid import UUID

import pytest

from app.wiring import Wiring
from commands.command import C, Handle
from commands.deciding import unidentified
from commands.receipt import Receipt
from commands.states import rehydrate
from domain.event import Cause, Event, record
from domain.identity import process_id
from domain.language import parse_definition
from domain.processes.decisions import draft_process, publish_process
from domain.processes.process import fold
from domain.refusal import Refusal
from store.log import Log
from store.unit import OutcomeUnknown, Unit

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANN = Cause(NOW, "user:ann", "request-1")
BOB = Cause(NOW + HOUR, "user:bob", "request-2")

Kind = TypeVar("Kind", bound=Event)
Refused = TypeVar("Refused", bound=Refusal)

GREETING = """
name: greeting
input:
  name: {type: string, required: true}
steps:
  - {id: greet, agent: writer, message: "Hello {{ input.name }}"}
  - {id: check, agent: writer, message: "Check {{ steps.greet.output }}", depends_on: greet}
outputs:
  text: "{{ steps.check.output }}"
"""


def fact(kind: type[Kind], by: Cause = ANN, /, **facts: Any) -> Kind:
    """Return an event that `by` caused."""
    return record(kind, by, **facts)


class Recorded:
    """The receipt of a command, and the events that it recorded."""

    def __init__(self, receipt: Receipt, events: list[Event], beside: list[Event]) -> None:
        self.receipt = receipt
        self.events = events
        self._beside = beside

    def then(self, *events: Event, beside: Sequence[Event] = ()) -> Self:
        """Assert that the command recorded exactly these events in its stream, and those `beside` in others."""
        assert self.events == list(events)
        assert self._beside == list(beside)
        return self

    def then_types(self, *kinds: type[Event]) -> Self:
        """Assert that the command recorded events of these types in its stream, and none elsewhere."""
        assert [type(event) for event in self.events] == list(kinds)
        assert self._beside == []
        return self

    def then_nothing(self) -> Self:
        """Assert that the command recorded nothing, and that its receipt is a duplicate."""
        assert self.receipt.duplicate
        return self.then()


class Scenario(Wiring):
    """The wiring on an empty database, with the steps of a test."""

    def given(self, stream: UUID, *events: Event) -> Self:
        """Record events of a stream, with the timers that they set."""
        before = self.log.stream(stream)
        execution = rehydrate(stream, [*before, *events], self.plans)
        timers = execution.timers if execution is not None else {}
        self.log.append(Unit(stream, len(before), list(events), timers_set=timers))
        return self

    def given_process(self, source: str) -> UUID:
        """Draft and publish a process; return its id."""
        parsed = parse_definition(source)
        assert parsed.name is not None
        drafted = draft_process(None, parsed, ANN)
        process = fold(drafted)
        assert process is not None
        self.given(id := process_id(parsed.name), *drafted, *publish_process(process, parsed, [], ANN))
        return id

    def after(self, handle: Handle[C], command: C, by: Cause = ANN) -> Self:
        """Carry a command out before the act under test."""
        handle(command, by, unidentified)
        return self

    def when(self, handle: Handle[C], command: C, by: Cause = ANN) -> Recorded:
        """Carry the command out."""
        before = self.log.last_position()
        receipt = handle(command, by, unidentified)
        new = self.log.last_position() - before
        events = self.log.stream(receipt.stream)
        mine = events[len(events) - new :] if new else []
        mine = [event for event in mine if event.causation == by.causation]
        beside = [each.event for each in self.log.page(before, new) if each.stream != receipt.stream] if new else []
        assert receipt.position == self.log.last_position()
        assert len(mine) + len(beside) == new
        return Recorded(receipt, mine, beside)

    def refused(self, kind: type[Refused], handle: Handle[C], command: C, by: Cause = ANN) -> Refused:
        """Assert that the command is refused and records nothing; return the refusal."""
        before = self.log.last_position()
        with pytest.raises(kind) as refusal:
            handle(command, by, unidentified)
        assert self.log.last_position() == before
        return refusal.value

    def list_of(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Return the rows of a list that appends keep, in order."""
        query: Any = f"select {', '.join(columns)} from {table} order by {', '.join(columns)}"
        with self.datastore.reading() as connection:
            return [tuple(row.values()) for row in connection.execute(query).fetchall()]


class Forgetful(Log):
    """A log that loses the acknowledgement of its first append."""

    lost = False

    def append(self, unit: Unit) -> int:
        position = super().append(unit)
        if not self.lost:
            self.lost = True
            raise OutcomeUnknown("the acknowledgement was lost")
        return position
