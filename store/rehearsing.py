"""A log that records nothing, for finding out what a command would record."""

from collections.abc import Sequence
from uuid import UUID

from domain.event import Event
from store.datastore import Datastore
from store.log import Log, Outcome
from store.unit import Unit


class Rehearsal(Log):
    """Reads what is there, and only notes what it is asked to append; nothing of that can be read back."""

    def __init__(self, datastore: Datastore) -> None:
        super().__init__(datastore)
        self.noted: list[tuple[UUID, Event]] = []
        """What would have been recorded: stream and event, in order."""

    def append(self, unit: Unit) -> int:
        """Note the events of `unit`; the position that the log has reached without them."""
        self.noted += [(change.stream, event) for change in unit.changes for event in change.events]
        return self.last_position()

    def append_all(self, units: Sequence[Unit]) -> list[Outcome]:
        """Note the events of each of `units`."""
        return [self.append(unit) for unit in units]
