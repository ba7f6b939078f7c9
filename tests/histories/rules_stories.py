"""What happened in the golden histories of versions that follow the second rules. Add; never change a told one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.event import Cause, Event
from domain.executions.decisions.approval import decide_approval
from domain.executions.decisions.execution import start_execution
from domain.executions.decisions.step import complete_step, start_step
from domain.executions.events.execution import Trigger
from domain.identity import process_id
from domain.language import parse_definition
from domain.processes.decisions import draft_process, publish_process
from domain.processes.plan import Plan
from domain.processes.process import fold

Plans = dict[tuple[UUID, int], Plan]
Told = tuple[UUID, list[Event]]

NAME = "golden-second-rules"
SOURCE = """name: golden-second-rules
strict: true
steps:
  - {id: ask, type: human_approval, on_error: skip_step}
  - {id: praise, agent: writer, message: "Thank {{ steps.ask.output.by }}", depends_on: ask,
     condition: steps.ask.output.decision == 'approved'}
  - {id: regret, agent: writer, message: "{{ steps.ask.output.comment }}", depends_on: ask,
     condition: steps.ask.output.decision == 'rejected', retry: {max_attempts: 3, multiplier: 3}}
outputs: {decision: "{{ steps.ask.output.decision }}"}
"""
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def _cause(hours: int = 0) -> Cause:
    return Cause(BEGIN + timedelta(hours=hours), "user:ann", "request", "tie")


def process_by_the_second_rules(_: Plans) -> Told:
    """Drafted and published."""
    parsed = parse_definition(SOURCE)
    events = draft_process(None, parsed, _cause())
    state = fold(events)
    assert state is not None
    events += publish_process(state, parsed, [], _cause())
    return process_id(NAME), events


def execution_refused_and_gone_on_without(plans: Plans) -> Told:
    """The approval is refused, and what follows reads the decision."""
    id = UUID(int=40)
    begun = start_execution(id, plans[process_id(NAME), 1], {}, Trigger(), _cause())
    refused = decide_approval(begun.execution, "ask", 1, "user:bob", "refused", "too dear", _cause(1))
    started = start_step(refused.execution, "regret", 1, _cause(2))
    completed = complete_step(started.execution, "regret", 1, "sorry", cause=_cause(3))
    return id, [*begun.events, *refused.events, *started.events, *completed.events]


STORIES: dict[str, Callable[[Plans], Told]] = {
    "process-by-the-second-rules": process_by_the_second_rules,
    "execution-refused-and-gone-on-without": execution_refused_and_gone_on_without,
}
