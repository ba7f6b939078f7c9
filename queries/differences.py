"""The difference of one execution between two points of its stream."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from queries.definitions import Definitions
from queries.events import Point
from queries.execution_detail import ExecutionDetail
from queries.folding import fold_at
from queries.leaving_out import Room
from queries.reading import Reading
from queries.steps import StepView, unreached

_OF_THE_EXECUTION = ("status", "outputs", "error", "cancel_reason", "ended_at", "timers", "started_at", "waiting_for")
_OF_A_STEP = (
    "status",
    "attempts",
    "agent",
    "input",
    "output",
    "error",
    "skip_reason",
    "cancel_reason",
    "due_at",
    "chosen",
    "cost",
    "usage",
    "children",
    "compensation",
)


class Change(msgspec.Struct, frozen=True):
    """The value of a field at the first point, and at the second."""

    before: Any
    after: Any


class StepDifference(msgspec.Struct, frozen=True):
    """The changes of one step. changed: by the name of the field of the step's view."""

    id: str
    changed: dict[str, Change]


class Difference(msgspec.Struct, frozen=True):
    """The difference between two points; either may be the earlier one.

    point_from, point_to: as requested, called ``from`` and ``to``. from_position, to_position: of the execution's last
    event by then. changed: by the name of the field of the execution's view. cost and unpriced: of its own steps;
    cost_with_children: where others below it cost something. steps: those that changed, in the order of the definition.
    """

    execution_id: UUID
    process: str
    version: int
    point_from: int | datetime = msgspec.field(name="from")
    point_to: int | datetime = msgspec.field(name="to")
    from_position: int
    to_position: int
    changed: dict[str, Change]
    steps: list[StepDifference]
    as_of_position: int
    lag_seconds: float


def get_difference(
    reading: Reading,
    definitions: Definitions,
    execution_id: UUID,
    point_from: Point,
    point_to: Point,
    *,
    min_position: int | None = None,
) -> Difference:
    """Return the difference between two points. Raises NotFound, also for a point before the start, or NotYet."""
    with reading.log(min_position) as (connection, freshness):
        before, after = fold_at(connection, definitions, execution_id, point_from, point_to)
    room = Room()
    steps = [
        StepDifference(one.id, {name: _fitting(room, change) for name, change in changed.items()})
        for one, other in _pairs(before.steps, after.steps)
        if (changed := _changed(one, other, _OF_A_STEP))
    ]
    return Difference(
        execution_id=execution_id,
        process=before.process,
        version=before.version,
        point_from=point_from,
        point_to=point_to,
        from_position=before.position,
        to_position=after.position,
        changed=_changed(before, after, _OF_THE_EXECUTION) | _costs(before, after),
        steps=steps,
        as_of_position=freshness.as_of_position,
        lag_seconds=freshness.lag_seconds,
    )


def _fitting(room: Room, change: Change) -> Change:
    return Change(room.fit_value(change.before), room.fit_value(change.after))


def _pairs(before: list[StepView], after: list[StepView]) -> list[tuple[StepView, StepView]]:
    """Return each step at both points; a step that undoes another, and is reached at one point only, is pending."""
    was, became = {step.id: step for step in before}, {step.id: step for step in after}
    return [(was.get(id) or unreached(step), became.get(id) or unreached(step)) for id, step in (was | became).items()]


def _costs(before: ExecutionDetail, after: ExecutionDetail) -> dict[str, Change]:
    changed = _changed(before.cost, after.cost, ("own", "with_children", "unpriced"))
    if all(view.cost.own == view.cost.with_children for view in (before, after)):
        changed.pop("with_children", None)
    return {{"own": "cost", "with_children": "cost_with_children"}.get(name, name): it for name, it in changed.items()}


def _changed(before: object, after: object, names: tuple[str, ...]) -> dict[str, Change]:
    values = [(name, getattr(before, name), getattr(after, name)) for name in names]
    return {name: Change(was, became) for name, was, became in values if was != became}
