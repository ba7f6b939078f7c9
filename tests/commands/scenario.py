"""Given events, when a command, then events: on the real log, without a door."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self, TypeVar
from uuid import UUID

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
from tests.scenario import Then

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANN = Cause(NOW, "user:ann", "request-1")
BOB = Cause(NOW + HOUR, "user:bob", "request-2")

Kind = TypeVar("Kind", bound=Event)

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


class Recorded(NamedTuple):
    """The receipt of a command, the events that it recorded in its stream, and those `beside` in others."""

    receipt: Receipt
    events: list[Event]
    beside: list[Event]


class Carried(Then):
    """The outcome of a command that is carried out; a refused one records nothing."""

    _beside: Sequence[Event] = ()

    @property
    def receipt(self) -> Receipt:
        receipt: Receipt = self.result.receipt
        return receipt

    def then(self, *expected: Any, beside: Sequence[Event] = ()) -> Self:
        """Assert that exactly these follow, or one refusal; in other streams exactly the events `beside`."""
        self._beside = beside
        return super().then(*expected)

    def follows(self, *expected: Any) -> None:
        super().follows(*expected)
        assert self.result.beside == list(self._beside)

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

    def when(self, handle: Handle[C], command: C, by: Cause = ANN) -> Carried:
        """Prepare the command."""

        def act() -> Recorded:
            before = self.log.last_position()
            try:
                receipt = handle(command, by, unidentified)
            except Refusal:
                assert self.log.last_position() == before, "a refused command records nothing"
                raise
            assert receipt.position == self.log.last_position()
            recorded = self.log.page(before, receipt.position - before) if receipt.position > before else []
            assert all(each.event.causation == by.causation for each in recorded)
            mine = [each.event for each in recorded if each.stream == receipt.stream]
            return Recorded(receipt, mine, [each.event for each in recorded if each.stream != receipt.stream])

        return Carried(act)

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
