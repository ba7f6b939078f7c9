"""Stories: past decisions that record a golden history. A story that no longer gives its history is deleted."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.event import Cause, Event
from domain.executions.decisions.execution import cancel_execution, start_execution
from domain.executions.events.execution import CausingEvent, Trigger
from domain.identity import process_id, trigger_id
from domain.processes.claims import claim_trigger, fold
from domain.processes.plan import Plan
from domain.processes.process import Process

Plans = dict[tuple[UUID, int], Plan]
Told = tuple[UUID, list[Event]]


def _cause(second: int) -> Cause:
    return Cause(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second), "user:ann", f"request-{second}", "tie")


def webhook_trigger(_: Plans) -> Told:
    """Claimed by one process, and by another one when the first had released it."""
    holder = Process("golden", "published", None)
    events = claim_trigger("new-order", None, None, "golden", _cause(0))
    events += claim_trigger("new-order", fold(events), holder, "silver", _cause(1))
    return trigger_id("new-order"), events


def execution_because(plans: Plans) -> Told:
    """Started by an agent because of an entry in its inbox, and cancelled."""
    plan, given = plans[process_id("golden"), 1], {"topic": "käse\0", "deep": False}
    because = CausingEvent(UUID(int=1), 5, 2)
    begun = start_execution(UUID(int=500), plan, given, Trigger(), _cause(0), because=because)
    cancelled = cancel_execution(begun.execution, "changed my mind", _cause(begun.execution.version))
    return begun.execution.id, [*begun.events, *cancelled.events]


STORIES: dict[str, Callable[[Plans], Told]] = {
    "webhook-trigger": webhook_trigger,
    "execution-because": execution_because,
}
