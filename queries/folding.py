"""One execution as it was: its stream, up to a point, folded by the projection that keeps the live rows."""

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import chain, groupby, takewhile
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from domain.catalogue import STORED_NAMES
from domain.event import Event
from domain.executions.events.cost import CostCorrected, CostRecorded
from domain.executions.events.outcomes import EXECUTION_STATUS
from domain.executions.state.evolution import evolve
from domain.executions.state.model import Execution
from domain.processes.plan import Plan
from domain.refusal import NotFound
from projections.execution_detail import DetailChanges, DetailRow, ExecutionDetailProjection
from projections.facts import OF_EXECUTIONS, Fact, latest_of, read_facts
from queries.attempts import fold_attempts
from queries.definitions import DefinedStep, Definitions
from queries.events import Point, read_starts, read_tree
from queries.execution_detail import ExecutionDetail, ExecutionRow, TimerOfExecution, execution_view
from queries.families import children_of, costs_below, path_to, sums
from queries.leaving_out import Room
from queries.reading import Freshness, Reading
from queries.steps import reached_step
from store.archive.executions import absent
from store.mapper import decode

_DETAIL = ExecutionDetailProjection()
# The events of one execution may have hundreds of megabytes, and folding holds all of them.
_FOLDING = threading.Semaphore(2)
# The events of descendants that change the view of an execution above them.
_SPENDS: tuple[type[Event], ...] = (CostRecorded, CostCorrected)
_OF_DESCENDANTS = [STORED_NAMES[kind] for kind in (*EXECUTION_STATUS, *_SPENDS)]


def get_execution_as_of(
    reading: Reading,
    definitions: Definitions,
    execution_id: UUID,
    point: Point,
    *,
    min_position: int | None = None,
) -> ExecutionDetail:
    """Return one execution as it was; for a point in the future, with all its events up to `as_of_position`.

    Its children, and the cost of its descendants, are as of the point too. The log has no heartbeats, so the
    heartbeat timer is due as if none had come. Raises NotFound, also for a point before the start, or NotYet.
    """
    with reading.log(min_position) as (connection, freshness):
        (view,) = fold_at(connection, definitions, execution_id, point, room=Room())
    return msgspec.structs.replace(view, as_of_position=freshness.as_of_position)


def fold_at(
    connection: Connection[Any], definitions: Definitions, execution_id: UUID, *points: Point, room: Room | None = None
) -> list[ExecutionDetail]:
    """Return the execution at each of `points`, from one reading of its tree. Raises NotFound.

    room: for the documents of steps. Default: all are shown.
    """
    with _FOLDING:
        return _fold_at(connection, definitions, execution_id, points, room)


def _fold_at(
    connection: Connection[Any],
    definitions: Definitions,
    execution_id: UUID,
    points: Sequence[Point],
    room: Room | None,
) -> list[ExecutionDetail]:
    rows = read_tree(connection, execution_id, _OF_DESCENDANTS)
    own = [row for row in rows if row[1] == execution_id.bytes]
    if not own or own[0][3] != "ExecutionStarted":
        raise absent(connection, execution_id)
    tree = list(read_facts(rows, OF_EXECUTIONS))
    started = next(fact.event for fact in tree if fact.stream == execution_id.bytes)
    ancestors = read_starts(connection, started.parent.path) if started.parent is not None else []
    above = list(read_facts(ancestors, OF_EXECUTIONS))
    definition = definitions.compiled(connection, started.process_id, started.version, started.body)
    views = []
    for point in points:
        facts = [*above, *_up_to(point, tree)]
        changes = _DETAIL.fold(facts, latest_of(facts))
        if (row := changes.rows.get(execution_id.bytes)) is None:
            raise NotFound(f"execution {execution_id} had not started at {_words(point)}")
        known = [each for each in own if each[0] <= row.last_position]
        views.append(_view(row, changes, definition, known, point, room))
    return views


def _view(
    row: DetailRow,
    changes: DetailChanges,
    definition: tuple[Plan, list[DefinedStep]],
    own: list[TupleRow],
    point: Point,
    room: Room | None,
) -> ExecutionDetail:
    id, (plan, planned) = UUID(bytes=row.execution_id), definition
    costs: dict[str, list[tuple[str, Decimal]]] = {}
    for (of, step, currency), amount in changes.steps.costs.items():
        if of == row.execution_id:
            costs.setdefault(step, []).append((currency, amount))
    steps = [step for step in changes.steps.rows.values() if step.execution_id == row.execution_id]
    spent, below = [*chain.from_iterable(costs.values())], costs_below(changes, id)
    reached = [reached_step(step, sums(costs.get(step.step, ()))) for step in steps]
    return execution_view(
        _execution_row(row),
        reached if room is None else [room.fit_step(step) for step in reached],
        planned,
        children_of(changes, id),
        fold_attempts((topic, state) for _, _, _, topic, state in own),
        path=path_to(changes.rows, row),
        timers=_timers(id, plan, own),
        own=_encoded(sums(spent)),
        with_children=None if below is None else _encoded(sums([*spent, *below[0]])),
        unpriced_below=0 if below is None else below[1],
        freshness=Freshness(row.last_position, 0.0),
        as_of=point,
    )


def _words(point: Point) -> str:
    return f"position {point}" if isinstance(point, int) else point.isoformat()


def _up_to(point: Point, facts: list[Fact]) -> Iterator[Fact]:
    """Yield, of each stream in `facts`, the facts up to and including a point."""
    for _, of_stream in groupby(facts, attrgetter("stream")):
        yield from takewhile(partial(_is_up_to, point), of_stream)


def _is_up_to(point: Point, fact: Fact) -> bool:
    at: datetime = fact.event.at
    return at <= point if isinstance(point, datetime) else fact.position <= point


def _execution_row(row: DetailRow) -> ExecutionRow:
    values = {name: getattr(row, name) for name in ExecutionRow.__struct_fields__}
    trigger = None if row.trigger is None else msgspec.Raw(row.trigger)
    return ExecutionRow(**values | {"execution_id": UUID(bytes=row.execution_id), "trigger": trigger})


def _timers(id: UUID, plan: Plan, rows: list[TupleRow]) -> list[TimerOfExecution]:
    """Return the timers as the state has them: an append moves those to the to-do list."""
    execution = Execution(id, plan, steps={}, waiting={})
    for _, _, _, topic, state in rows:
        evolve(execution, decode(topic, state))
    timers = [TimerOfExecution(step, kind, due_at) for (step, kind), due_at in execution.timers.items()]
    return sorted(timers, key=attrgetter("due_at", "step", "kind"))


def _encoded(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
