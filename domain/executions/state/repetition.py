"""The state of a repeated step, and its evolution."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from domain.agents.calls import StepError
from domain.executions.events.repetition import ItemCompleted, ItemFailed, ItemsListed, ItemsResumed, RoundCompleted
from domain.executions.state.evolution import evolves
from domain.executions.state.model import Execution, Repetition
from domain.executions.state.timer import begin_wait
from domain.executions.timers import ROUND
from domain.processes.plan import PlannedSubProcess

ITEMS = "$items"
"""The only key of the output of a step whose results are too large for one event; a stored name, never changed."""


class KeptItems(msgspec.Struct, frozen=True, gc=False):
    """In the place of a list of results: how many items it has, and their bytes of JSON, in the events of the items."""

    count: int
    bytes: int

    @property
    def value(self) -> dict[str, Any]:
        """The reference as a JSON value."""
        return {ITEMS: msgspec.to_builtins(self)}


def results_of(repetition: Repetition, *, collects: bool) -> list[Any]:
    """Return the result of each item in the order of the items; an item without one is null, or its error."""
    results: list[Any] = [None] * len(repetition.items)
    for item, output, completed in repetition.ends:
        results[item] = output if completed or collects else None
    return results


def unfinished(repetition: Repetition) -> list[int]:
    """Return the positions of the items that have no result, in order."""
    completed = {item for item, _, completed in repetition.ends if completed}
    return [item for item in range(len(repetition.items)) if item not in completed]


def keeps_items(execution: Execution, step: str, output: Any) -> bool:
    """Return whether the output of a repeated step refers to the results in the events of its items."""
    planned = execution.plan.steps[step]
    return isinstance(planned, PlannedSubProcess) and planned.for_each is not None and _refers(output)


def with_items(value: Any, results: Callable[[], list[Any]]) -> Any:
    """Return the output of a repeated step with the list in the place of the reference to it."""
    if isinstance(value, dict) and len(value) == 1:
        if ITEMS in value:
            return results()
        return {name: with_items(inner, results) for name, inner in value.items()}
    return value


def open_children(execution: Execution, step: str) -> list[UUID]:
    """Return the children of the items that a step waits for."""
    return list(execution.item_children.get(step, ()))


def drop_children(execution: Execution, step: str) -> None:
    """Wait no longer for the children of the items of a step, which has ended."""
    for id in execution.item_children.pop(step, ()):
        del execution.children[id]


def drop_child(execution: Execution, step: str, id: UUID) -> None:
    """Wait no longer for a child of a step, of an item or not."""
    execution.children.pop(id, None)
    of_items = execution.item_children.get(step)
    if of_items is not None:
        of_items.pop(id, None)
        if not of_items:
            del execution.item_children[step]


@evolves(ItemsListed)
def listed(execution: Execution, event: ItemsListed) -> None:
    """Wait for the children of all items."""
    execution.repetitions[event.step] = Repetition(event.items, event.keys, tuple(range(len(event.items))))
    begin_wait(execution, event.step, event.attempt, event.at)


@evolves(ItemsResumed)
def resumed(execution: Execution, event: ItemsResumed) -> None:
    """Wait for the children of the items that begin again."""
    before = execution.repetitions[event.step]
    execution.repetitions[event.step] = replace(before, todo=tuple(event.items), begun=0, ended=0, failed=0)
    begin_wait(execution, event.step, event.attempt, event.at)


@evolves(ItemCompleted)
def item_completed(execution: Execution, event: ItemCompleted) -> None:
    """Keep the result."""
    drop_child(execution, event.step, event.child)
    before = execution.repetitions[event.step]
    execution.repetitions[event.step] = replace(
        before,
        ended=before.ended + 1,
        size=before.size + event.size,
        ends=before.ends.add((event.item, event.output, True)),
    )


@evolves(ItemFailed)
def item_failed(execution: Execution, event: ItemFailed) -> None:
    """Keep the error, by which a step that collects errors shows the item."""
    if event.child is not None:
        drop_child(execution, event.step, event.child)
    before = execution.repetitions[event.step]
    execution.repetitions[event.step] = replace(
        before,
        begun=before.begun + (event.child is None),
        ended=before.ended + 1,
        failed=event.failed,
        ends=before.ends.add((event.item, _shown(event.error), False)),
    )


@evolves(RoundCompleted)
def round_completed(execution: Execution, event: RoundCompleted) -> None:
    """Wait for the next round; StepCompleted or StepFailed follows where there is none."""
    execution.children.pop(event.child, None)
    execution.steps[event.step] = replace(execution.steps[event.step], child=None)
    execution.repetitions[event.step] = Repetition(round=event.round + 1, carried=event.carried)
    if event.next_at is not None:
        execution.timers[event.step, ROUND] = event.next_at


def _refers(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and (ITEMS in value or any(map(_refers, value.values())))


def _shown(error: StepError) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": error.message}}
