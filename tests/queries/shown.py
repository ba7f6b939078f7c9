"""What read models show, and what the log says: an installation of which the log is written by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from domain.event import Cause, Event, record
from domain.executions.engine.unfolding import Unfolding
from domain.executions.state.model import Execution
from domain.identity import process_id
from domain.processes.events import ProcessDrafted, ProcessPublished
from projections.running import Runner
from queries.definitions import Definitions
from queries.executions import ExecutionDetail, get_execution
from queries.folding import get_execution_as_of
from queries.progress import ExecutionProgress
from queries.reading import Reading
from store.datastore import Datastore
from store.log import Log
from store.unit import Unit

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: int) -> Cause:
    return Cause(BEGIN + timedelta(seconds=seconds), "user:ann")


def comparable(view: ExecutionDetail) -> Any:
    """A view without how fresh it is, and without estimates: these rest on other executions, up to now."""
    steps = [msgspec.structs.replace(step, estimate=None) for step in view.steps]
    view = msgspec.structs.replace(view, steps=steps, as_of_position=0, lag_seconds=0.0, as_of=None)
    return msgspec.json.decode(msgspec.json.encode(view))


class Shown:
    """An installation of which the log is written by hand, and what its read models show after each append."""

    def __init__(self, datastore: Datastore, *definitions: dict[str, Any]) -> None:
        self.log, self.runner = Log(datastore), Runner(datastore)
        self.reading = Reading(datastore, ExecutionProgress(datastore))
        self.definitions = Definitions()
        for definition in definitions:
            name = definition["name"]
            drafted = record(ProcessDrafted, at(0), name=name, source=name)
            published = record(ProcessPublished, at(0), name=name, version=1, source=name, definition=definition)
            self.append(process_id(name), 0, [drafted, published])

    def append(self, stream: UUID, version: int, events: list[Event], **timers: Any) -> None:
        """Record events, and bring the read models up to them."""
        self.log.append(Unit(stream, version, events, **timers))
        self.runner.refresh()
        while self.runner.advance():
            pass

    def decide(self, before: Execution, unfolding: Unfolding) -> Execution:
        """Record what was decided."""
        if unfolding.events:
            timers = {"timers_set": unfolding.timers_set, "timers_dropped": unfolding.timers_dropped}
            self.append(before.id, before.version, unfolding.events, **timers)
        return unfolding.execution

    def now(self, id: UUID) -> ExecutionDetail:
        """What the read models show."""
        return get_execution(self.reading, self.definitions, id)

    def then(self, id: UUID, point: int | datetime) -> ExecutionDetail:
        """What the stream says up to a point."""
        return get_execution_as_of(self.reading, self.definitions, id, point)

    def close(self) -> None:
        """Let go of the database."""
        self.runner.close()
        self.log.close()
