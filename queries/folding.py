"""One execution as it was: its own stream folded up to a position of the log, or up to an instant."""

from datetime import datetime
from functools import partial
from itertools import takewhile
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection

from domain.event import Event
from domain.executions.events.execution import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionRetried,
    ExecutionStarted,
)
from domain.executions.outcomes import RETRYING, WAITING
from domain.executions.state.evolution import evolve
from domain.executions.state.model import Execution, StepState
from domain.executions.timers import RETRY
from domain.refusal import NotFound
from queries.events import Point, is_up_to, read_stream
from queries.executions import ExecutionCost, ExecutionDetail, TimerOfExecution
from queries.families import ParentAttempt, read_family, read_path, sums
from queries.reading import Reading
from queries.steps import NULL, Definitions, StepRow, step_views
from queries.telling import StepTold, tell
from store.mapper import Recorded


def get_execution_as_of(
    reading: Reading,
    definitions: Definitions,
    execution_id: UUID,
    point: Point,
    *,
    min_position: int | None = None,
) -> ExecutionDetail:
    """One execution as it was. A point that is still to come gives all that there is: `as_of_position` tells.

    Its children, and what those below it cost, are as they were there too: their streams are read for that.
    The log does not know signs of life, so that a heartbeat is due as if none had come. Raises NotFound, also for a
    point before the start, or NotYet.
    """
    with reading.log(min_position) as (connection, freshness):
        (view,) = fold_at(connection, definitions, execution_id, point)
    return msgspec.structs.replace(view, as_of_position=freshness.as_of_position)


def fold_at(
    connection: Connection[Any], definitions: Definitions, execution_id: UUID, *points: Point
) -> list[ExecutionDetail]:
    """The execution at each of `points`, from one look at its stream. Raises NotFound."""
    stream = read_stream(connection, execution_id)
    if not stream or not isinstance(stream[0].event, ExecutionStarted):
        raise NotFound(f"there is no execution {execution_id}")
    found = [(point, list(takewhile(partial(is_up_to, point), stream))) for point in points]
    if not all(until for _, until in found):
        raise NotFound(f"execution {execution_id} had not started then")
    return [_view(connection, definitions, execution_id, point, until) for point, until in found]


def _view(
    connection: Connection[Any], definitions: Definitions, id: UUID, point: Point, stream: list[Recorded]
) -> ExecutionDetail:
    started = stream[0].event
    assert isinstance(started, ExecutionStarted)
    plan, planned = definitions.compiled(connection, started.process_id, started.version)
    execution = Execution(id, plan, steps={}, waiting={})
    told: dict[str, StepTold] = {}
    for each in stream:
        evolve(execution, each.event)
        tell(told, each.event)
    rows = {step: _row(execution, step, state, told[step]) for step, state in execution.steps.items()}
    family = read_family(connection, (each.event for each in stream), point)
    own = [cost for state in execution.steps.values() for cost in state.costs]
    path = read_path(connection, started)
    parent = started.parent
    began = execution.started_at or started.at
    timers = [TimerOfExecution(step, kind, due_at) for (step, kind), due_at in execution.timers.items()]
    trigger = started.trigger
    return ExecutionDetail(
        execution_id=id,
        process_id=started.process_id,
        process=started.process,
        version=started.version,
        status=execution.status,
        trigger=_encoded({"type": trigger.type, "id": trigger.id, "payload": trigger.payload}),
        actor=started.actor,
        parent=None if parent is None else ParentAttempt(parent.execution_id, parent.step, parent.attempt),
        root=id if parent is None else parent.root,
        depth=len(path),
        path=path,
        input=_encoded(execution.input),
        **_ending([each.event for each in stream]),
        started_at=began,
        ended_at=execution.ended_at,
        duration=_seconds(began, execution.ended_at),
        steps=step_views(planned, rows, family.children),
        timers=sorted(timers, key=lambda timer: (timer.due_at, timer.step, timer.kind)),
        cost=ExecutionCost(
            own=_encoded(sums(own)),
            with_children=_encoded(sums([*own, *family.below])),
            unpriced=sum(row.unpriced for row in rows.values()),
        ),
        position=stream[-1].position,
        as_of_position=stream[-1].position,
        lag_seconds=0.0,
        as_of=point,
    )


def _ending(events: list[Event]) -> dict[str, Any]:
    """What the execution's end says, which the state does not keep; a retry takes a failure back."""
    said: dict[str, Any] = {"outputs": NULL, "error": NULL, "cancel_reason": None}
    for event in events:
        match event:
            case ExecutionCompleted():
                said["outputs"] = _encoded(event.outputs)
            case ExecutionFailed():
                said["error"] = _encoded(event.error)
            case ExecutionRetried():
                said["error"] = NULL
            case ExecutionCancelled():
                said["cancel_reason"] = event.reason
            case _:
                pass
    return said


def _row(execution: Execution, step: str, state: StepState, told: StepTold) -> StepRow:
    due_at = execution.timers.get((step, RETRY)) if state.status == RETRYING else None
    return StepRow(
        step=step,
        status=state.status,
        attempt=state.attempt,
        agent=state.agent or None,
        message=_encoded(told.message),
        parameters=_encoded(told.parameters),
        output=_encoded(state.output),
        error=_encoded(state.error),
        skip_reason=told.skip_reason,
        cancel_reason=told.cancel_reason,
        scheduled_at=told.scheduled_at,
        started_at=state.started_at,
        ended_at=state.ended_at,
        due_at=state.due_at if state.status == WAITING else due_at,
        chosen=None if state.chosen is None else list(state.chosen),
        conditions=_encoded(told.conditions),
        compensation=told.compensation,
        duration=_seconds(state.started_at, state.ended_at),
        input_tokens=told.input_tokens,
        output_tokens=told.output_tokens,
        unpriced=told.unpriced,
        cost=sums(state.costs),
    )


def _seconds(begin: datetime | None, end: datetime | None) -> float | None:
    return None if begin is None or end is None else (end - begin).total_seconds()


def _encoded(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
