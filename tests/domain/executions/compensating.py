"""What undoes steps: definitions, and executions in which much is to be undone."""

from domain.agents.calls import StepError
from domain.executions.decisions.step import complete_step, fail_step
from domain.executions.events.compensation import CompensationStarted

BUSY = StepError("agent_error", "busy")
CHAIN = {"a": [], "b": ["a"], "c": ["b"]}


def undo(message="undo", **more):
    """What undoes a step, as written."""
    return {"compensation": {"type": "agent_task", "agent": "undoer", "message": message, **more}}


def completed(run, *steps, after=1):
    for step in steps:
        run.given(complete_step, step, 1, f"{step} done", after=after, take=9)


def failing(begin, graph=CHAIN, last="c", **steps):
    """An execution all of whose steps but the last have completed, and whose last one has failed at second 2."""
    run = begin(graph, **steps)
    completed(run, *(step for step in graph if step != last))
    run.given(fail_step, last, 1, BUSY, after=2, take=1)
    return run


def started(run):
    return [event.step for event in run.events if isinstance(event, CompensationStarted)]
