"""What happened in the golden histories of executions that repeat steps. Add; never change a told one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.agents.calls import StepError
from domain.event import Cause, Event
from domain.executions.decisions.child import end_child, start_child
from domain.executions.decisions.execution import admit_execution, cancel_execution, start_execution
from domain.executions.decisions.step import complete_step, fail_step, start_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.child import ChildStarted
from domain.executions.events.execution import Trigger
from domain.executions.state.model import Execution
from domain.identity import process_id
from domain.language import parse_definition
from domain.processes.decisions import draft_process, publish_process
from domain.processes.plan import Plan
from domain.processes.process import fold

Plans = dict[tuple[UUID, int], Plan]
Told = tuple[UUID, list[Event]]

REPEATING = "golden-repeating"
SOURCE = """name: golden-repeating
max_running: 3
description: Goes through a list, and revises a text until it is good.
input:
  places: {type: array, required: true}
steps:
  - id: visit
    type: sub_process
    for_each: {items: "{{ input.places }}", as: place, key: "{{ place }}", max_parallel: 2}
    retry: {max_attempts: 2, delay: 10s}
    steps: [{id: look, agent: reviewer, message: "Look at {{ input.place }}"}]
    outputs: {seen: "{{ steps.look.output }}"}
  - id: revise
    type: sub_process
    depends_on: visit
    repeat: {until: last.output.good, max: 3, delay: 1m, carry: {draft: "{{ last.output.draft }}"}}
    input_mapping: {draft: none}
    steps: [{id: write, agent: mailer, message: "{{ input.draft }}"}]
    outputs: {good: "{{ steps.write.output.good }}", draft: "{{ steps.write.output.draft }}"}
outputs: {visited: "{{ steps.visit.output }}"}
"""
PARENT = UUID("01900000-0000-7000-8000-00000000e001")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BROKEN = StepError("agent_error", "broken", permanent=False)


class _Told:
    """An execution in which something happens every minute."""

    def __init__(self, begun: Unfolding, now: datetime = BEGIN) -> None:
        self.execution, self.events = begun.execution, begun.events
        self.now = now

    def then(self, decision: Callable[..., Unfolding], *given: Any, after: int = 60) -> None:
        """`decision` some seconds later."""
        self.now += timedelta(seconds=after)
        unfolding = decision(self.execution, *given, cause=Cause(self.now, "worker:tie", "message", "tie"))
        assert unfolding.events, "a story in which nothing happens"
        self.execution, self.events = unfolding.execution, self.events + unfolding.events


def process_repeating(_: Plans) -> Told:
    """Drafted and published: with steps inside two steps."""
    parsed = parse_definition(SOURCE)
    assert parsed.name is not None
    assert not parsed.errors, parsed.errors
    events = draft_process(None, parsed, Cause(BEGIN, "user:ann"))
    state = fold(events)
    assert state is not None
    return process_id(parsed.name), events + publish_process(state, parsed, [], Cause(BEGIN, "user:ann"))


def _plan(known: Plans) -> Plan:
    return known[process_id(REPEATING), 1]


def _parent(known: Plans) -> _Told:
    plan = _plan(known)
    given = {"places": ["attic", "barn"]}
    begun = start_execution(
        PARENT, plan, given, Trigger(), Cause(BEGIN, "user:ann", "request", "tie"), callees=plan.bodies
    )
    parent = _Told(begun)
    parent.then(admit_execution)
    return parent


def _child(known: Plans, parent: _Told, number: int) -> _Told:
    """The child that the parent's call number `number` started."""
    asked = [event for event in parent.events if isinstance(event, ChildStarted)][number]
    plan = _plan(known).inner(asked.body)
    new = Execution(asked.child, plan, callees=plan.bodies)
    return _Told(start_child(new, asked, PARENT, Cause(parent.now, "worker:tie", "message")), parent.now)


def _works(known: Plans, parent: _Told, number: int, step: str, answer: Any) -> _Told:
    """The same once its only step has ended; the answer is an output or an error."""
    child = _child(known, parent, number)
    child.then(start_step, step, 1)
    child.then(fail_step if answer is BROKEN else complete_step, step, 1, answer)
    return child


def _reports(parent: _Told, child: _Told) -> None:
    parent.then(end_child, child.execution.id, child.events[-1], after=300)


def _told(known: Plans) -> tuple[_Told, list[_Told]]:
    parent, children = _parent(known), []
    for number, (step, answer) in enumerate(
        (
            ("look", "dust"),
            ("look", BROKEN),
            ("look", "hay"),
            ("write", {"good": False, "draft": "one"}),
            ("write", {"good": True, "draft": "two"}),
        )
    ):
        if number == 2:
            parent.then(fire_timer, "visit", "retry", after=900)
        if number == 4:
            parent.then(fire_timer, "revise", "round", after=900)
        children.append(_works(known, parent, number, step, answer))
        _reports(parent, children[-1])
    return parent, children


def execution_repeating(known: Plans) -> Told:
    """An item fails, and a retry runs it alone again; then a text is good in the second round, after a delay."""
    parent, _ = _told(known)
    return PARENT, parent.events


def execution_of_an_item(known: Plans) -> Told:
    """The steps inside a step, for an item."""
    _, children = _told(known)
    return children[0].execution.id, children[0].events


def execution_of_an_item_that_fails(known: Plans) -> Told:
    """The same, and they fail."""
    _, children = _told(known)
    return children[1].execution.id, children[1].events


def execution_of_a_round(known: Plans) -> Told:
    """The steps inside a step, in the second round, and they are cancelled."""
    parent, _ = _told(known)
    child = _child(known, parent, 4)
    child.then(cancel_execution, "enough")
    return child.execution.id, child.events


STORIES: dict[str, Callable[[Plans], Told]] = {
    "process-repeating": process_repeating,
    "execution-repeating": execution_repeating,
    "execution-of-an-item": execution_of_an_item,
    "execution-of-an-item-that-fails": execution_of_an_item_that_fails,
    "execution-of-a-round": execution_of_a_round,
}
