"""Evolution of an execution's children."""

from msgspec.structs import replace

from domain.executions.events.child import ItemStarted, SubProcessClosed, SubProcessStarted
from domain.executions.events.outcomes import STARTED, WAITING
from domain.executions.state.evolution import evolves
from domain.executions.state.model import Child, Execution, Repetition
from domain.executions.state.repetition import drop_child
from domain.executions.state.timer import begin_wait
from domain.executions.timers import ROUND


@evolves(SubProcessStarted)
def started(execution: Execution, event: SubProcessStarted) -> None:
    """Add the child; the step waits for it, or StepCompleted follows."""
    execution.children[event.child] = Child(event.step, event.attempt, event.wait, round=event.round)
    if event.goes_on:
        execution.steps[event.step] = replace(execution.steps[event.step], message=event.input, child=event.child)
        execution.timers.pop((event.step, ROUND), None)
        return
    if event.round == 1:
        execution.repetitions[event.step] = Repetition()
    begin_wait(
        execution,
        event.step,
        event.attempt,
        event.at,
        status=WAITING if event.wait else STARTED,
        message=event.input,
        child=event.child if event.wait else None,
    )


@evolves(ItemStarted)
def item_started(execution: Execution, event: ItemStarted) -> None:
    """Add the child of an item; the step waits for all of them."""
    execution.children[event.child] = Child(event.step, event.attempt, waits=True, item=event.item)
    execution.item_children.setdefault(event.step, {})[event.child] = None
    repetition = execution.repetitions[event.step]
    execution.repetitions[event.step] = replace(repetition, begun=repetition.begun + 1)


@evolves(SubProcessClosed)
def closed(execution: Execution, event: SubProcessClosed) -> None:
    """Remove a child that is no longer needed."""
    drop_child(execution, event.step, event.child)
