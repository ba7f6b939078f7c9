"""What happened in the golden histories with approvals. Add; never change a told one."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain.event import Cause, Event
from domain.executions.decisions.approval import decide_approval
from domain.executions.decisions.execution import cancel_execution, start_execution
from domain.executions.decisions.step import complete_step, start_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.execution import Trigger
from domain.identity import process_id
from domain.language import parse_definition
from domain.processes.decisions import draft_process, publish_process
from domain.processes.plan import Plan
from domain.processes.process import fold

Plans = dict[tuple[UUID, int], Plan]
Told = tuple[UUID, list[Event]]

NAME = "golden-approvals"
SOURCE = """name: golden-approvals
description: People are asked.
input:
  text: {type: string, required: true}
steps:
  - id: review
    type: human_approval
    approvers: [ann, bob]
    title: "May {{ input.text }} go out?"
    description: "{{ input.text }}"
    artifacts: [{text: "{{ input.text }}"}, 7]
    deadline: 2d
    on_deadline: skip
    retry: {max_attempts: 3, delay: 1h}
    on_error: skip_step
  - {id: lawyers, type: human_approval, deadline: 1d, require_reason: true, on_error: skip_step}
  - {id: send, agent: mailer, message: "Send it", depends_on: [review, lawyers]}
"""
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def process_with_approvals(_: Plans) -> Told:
    """Drafted and published."""
    parsed = parse_definition(SOURCE)
    events = draft_process(None, parsed, Cause(BEGIN, "user:ann"))
    state = fold(events)
    assert state is not None
    events += publish_process(state, parsed, [], Cause(BEGIN, "user:ann"))
    return process_id(NAME), events


class _Told:
    """An execution in which something happens every hour."""

    def __init__(self, plans: Plans, number: int) -> None:
        self.id = UUID(int=number)
        self.hours = 0
        begun = start_execution(self.id, plans[process_id(NAME), 1], {"text": "this"}, Trigger(), self._cause())
        self.execution, self.events = begun.execution, begun.events

    def _cause(self) -> Cause:
        return Cause(BEGIN.replace(day=1 + self.hours // 24, hour=self.hours % 24), "user:ann", "request", "tie")

    def then(self, decision: Callable[..., Unfolding], *given: Any, after: int = 1) -> None:
        """`decision` some hours later."""
        self.hours += after
        unfolding = decision(self.execution, *given, cause=self._cause())
        assert unfolding.events, "a story in which nothing happens"
        self.execution, self.events = unfolding.execution, self.events + unfolding.events


def execution_approved(plans: Plans) -> Told:
    """Changes are asked for and, when asked again, it is granted; the lawyers refuse, which is gone on without."""
    story = _Told(plans, 16)
    story.then(decide_approval, "review", 1, "user:bob", "changes_requested", "the title is wrong")
    story.then(decide_approval, "lawyers", 1, "user:lea", "refused", "it names names")
    story.then(fire_timer, "review", "retry")
    story.then(decide_approval, "review", 2, "user:ann", "granted", "better")
    story.then(start_step, "send", 1)
    story.then(complete_step, "send", 1, "sent")
    return story.id, story.events


def execution_unapproved(plans: Plans) -> Told:
    """One deadline passes; it is called off while the other people are still being asked."""
    story = _Told(plans, 17)
    story.then(fire_timer, "lawyers", "deadline", after=25)
    story.then(cancel_execution, "nobody cares")
    return story.id, story.events


STORIES: dict[str, Callable[[Plans], Told]] = {
    "process-with-approvals": process_with_approvals,
    "execution-approved": execution_approved,
    "execution-unapproved": execution_unapproved,
}
