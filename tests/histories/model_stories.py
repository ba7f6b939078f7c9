"""What happened in the golden histories of models. Never change a told story."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.event import Cause, Event
from domain.executions.decisions.execution import start_execution
from domain.executions.decisions.step import complete_step, start_response, start_step
from domain.executions.events.execution import Trigger
from domain.identity import process_id
from domain.processes.plan import Plan

Plans = dict[tuple[UUID, int], Plan]
Told = tuple[UUID, list[Event]]

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def _cause(second: int) -> Cause:
    return Cause(BEGIN + timedelta(seconds=second), "worker:1", f"attempt-{second}", "tie")


def answered_in_the_background(plans: Plans) -> Told:
    """A model works in the background; the worker is lost, and another one has the answer."""
    id = UUID(int=61)
    begun = start_execution(id, plans[process_id("golden"), 1], {"topic": "tea", "deep": False}, Trigger(), _cause(0))
    events, execution = begun.events, begun.execution
    for decide in (
        lambda known: start_step(known, "gather", 1, _cause(1)),
        lambda known: start_response(known, "gather", 1, "resp_67ccd2bed1ec8190", _cause(2)),
        lambda known: start_step(known, "gather", 1, _cause(3)),
        lambda known: complete_step(known, "gather", 1, {"found": 1}, _cause(4)),
    ):
        unfolding = decide(execution)
        events, execution = events + unfolding.events, unfolding.execution
    return id, events


STORIES: dict[str, Callable[[Plans], Told]] = {"execution-in-the-background": answered_in_the_background}
