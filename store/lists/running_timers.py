"""The timers of running executions, by the log: folded as the engine folds them, with their plans."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, tuple_row

from domain.catalogue import EVENTS, STORED_NAMES
from domain.executions.events.execution import ExecutionStarted
from domain.executions.events.outcomes import ACTIVE, ENDS_EXECUTION
from domain.executions.state.evolution import evolve
from domain.executions.state.model import Execution
from domain.executions.timers import DueTimes
from domain.language import load_definition
from domain.processes.events import ProcessPublished
from domain.processes.plan import Plan, compile_plan
from store import arrays
from store.mapper import decode
from store.progress import Progress
from store.reading import BULK

BEGINS = frozenset(("ExecutionStarted", "ExecutionRetried"))
ENDS = frozenset(STORED_NAMES[kind] for kind in ENDS_EXECUTION)
TOPICS = sorted(BEGINS | ENDS)
AT_ONCE = 500  # executions folded at a time

MOVED = """select originator_id, topic from stored_events
where notification_id > %s and notification_id <= %s and topic = any(%s) order by notification_id"""
STREAMS = """select originator_id, topic, state from stored_events
where originator_id = any(%b) and notification_id <= %s order by originator_id, originator_version"""
PUBLISHED = "select state from stored_events where originator_id = %s and topic = 'ProcessPublished'"


class RunningTimers:
    """The timers as of `position`, by execution, of all that run. connection: one of `store.reading.connect`."""

    def __init__(self, connection: Connection[Any]) -> None:
        self.position = 0
        self._connection = connection
        self.timers: dict[bytes, DueTimes] = {}
        self._plans: dict[tuple[UUID, int], Plan] = {}

    def read_to(self, until: int, progress: Progress) -> None:
        """Continue to the position `until`. progress: called with positions done and to do."""
        # A read from the beginning needs only the events that begin and end executions: most executions have ended.
        topics = TOPICS if self.position == 0 else sorted(EVENTS)
        running: dict[bytes, bool] = {}
        for begin in range(self.position, until, BULK):
            end = min(begin + BULK, until)
            for stream, topic in self._rows(MOVED, (begin, end, topics)):
                if topic in ENDS:
                    running[stream] = False
                elif topic in BEGINS:
                    running[stream] = True
                elif stream in self.timers:
                    running.setdefault(stream, True)
            progress(end, until)
        for stream in running:
            self.timers.pop(stream, None)
        self._fold([stream for stream, runs in running.items() if runs], until)
        self.position = until

    def _fold(self, streams: Sequence[bytes], until: int) -> None:
        for begin in range(0, len(streams), AT_ONCE):
            some = arrays.uuid_bytes(streams[begin : begin + AT_ONCE])
            folding: dict[bytes, Execution] = {}
            for stream, topic, state in self._rows(STREAMS, (some, until)):
                event = decode(topic, state)
                if isinstance(event, ExecutionStarted):
                    plan = self._plan(event.process_id, event.version).inner(event.body)
                    folding[stream] = Execution(UUID(bytes=stream), plan, steps={}, waiting={}, timers={})
                evolve(folding[stream], event)
            self.timers |= {stream: state.timers for stream, state in folding.items() if state.status in ACTIVE}

    def _plan(self, process_id: UUID, version: int) -> Plan:
        plan = self._plans.get((process_id, version))
        if plan is None:
            for (state,) in self._rows(PUBLISHED, (process_id,)):
                published = decode("ProcessPublished", state)
                assert isinstance(published, ProcessPublished)
                if published.version == version:
                    plan = compile_plan(load_definition(published.definition), process_id, version)
            if plan is None:
                raise LookupError(
                    f"an execution runs by version {version} of process {process_id}, which the log does not hold"
                )
            self._plans[process_id, version] = plan
        return plan

    def _rows(self, query: str, parameters: Iterable[Any]) -> list[TupleRow]:
        with self._connection.cursor(row_factory=tuple_row, binary=True) as cursor:
            return cursor.execute(query, tuple(parameters), prepare=True).fetchall()
