"""A log that records nothing, to list the events that a command would record."""

from collections.abc import Sequence
from uuid import UUID

from domain.event import Event
from store.datastore import Datastore
from store.log import Log
from store.unit import Unit
from store.waiting_units import Outcome


class Rehearsal(Log):
    """Reads the log, and notes units in place of appending them; no reader finds a noted event."""

    def __init__(self, datastore: Datastore) -> None:
        super().__init__(datastore)
        self.noted: list[tuple[UUID, Event]] = []
        """The events that an append would have recorded, each with its stream, in order."""

    def append(self, unit: Unit) -> int:
        """Note the events of `unit`; return the position that the log has without them."""
        unit.encode()
        self.noted += [(change.stream, event) for change in unit.changes for event in change.events]
        return self.last_position()

    def append_all(self, units: Sequence[Unit]) -> list[Outcome]:
        """Note the events of each of `units`; return the position that the log has, once for each."""
        return [self.append(unit) for unit in units]
