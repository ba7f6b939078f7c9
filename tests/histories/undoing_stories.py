"""What happened in the golden histories of executions that are undone. Add; never change a told one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.agents.calls import StepError, Usage
from domain.event import Cause, Event
from domain.executions.decisions.execution import cancel_execution, start_execution
from domain.executions.decisions.step import accept_step, complete_step, fail_step, start_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.execution import Trigger
from domain.identity import process_id
from domain.language import parse_definition
from domain.money import Money
from domain.processes.decisions import draft_process, publish_process
from domain.processes.plan import Plan
from domain.processes.process import fold

Plans = dict[tuple[UUID, int], Plan]
Told = tuple[UUID, list[Event]]

NAME = "golden-undone"
SOURCE = """name: golden-undone
description: What it did can be undone.
input:
  order: {type: string, required: true}
steps:
  - id: reserve
    agent: shop
    message: "Reserve {{ input.order }}"
    compensation:
      agent: editor
      message: "Give back {{ steps.reserve.output.number }}"
      parameters: {order: "{{ input.order }}"}
      timeout: 30s
      retry: {max_attempts: 2, delay: 5s}
  - id: tell
    type: notification
    channel: slack
    message: "{{ steps.reserve.output.number }} is reserved"
    depends_on: reserve
    compensation:
      type: notification
      channel: email
      recipients: ann@example.com
      message: "Never mind {{ input.order }}"
  - id: charge
    agent: bank
    message: Charge for it
    depends_on: tell
    timeout: 1h
    heartbeat: 1m
    retry: {max_attempts: 3, delay: 10s}
"""
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BROKEN = StepError("agent_error", "broken", permanent=True)
BUSY = StepError("agent_error", "busy")
NOT_SET_UP = StepError("channel_not_configured", "the channel 'email' is not set up", permanent=True)
RESERVE, TELL = "reserve.compensation", "tell.compensation"


def process_with_compensations(_: Plans) -> Told:
    """Drafted and published."""
    parsed = parse_definition(SOURCE)
    assert not parsed.errors
    events = draft_process(None, parsed, Cause(BEGIN, "user:ann"))
    state = fold(events)
    assert state is not None
    return process_id(NAME), events + publish_process(state, parsed, [], Cause(BEGIN, "user:ann"))


class _Told:
    """An execution in which something happens every second."""

    def __init__(self, plans: Plans, number: int) -> None:
        cause = Cause(BEGIN, "user:ann", "request", "tie")
        begun = start_execution(UUID(int=number), plans[process_id(NAME), 1], {"order": "käse"}, Trigger(), cause)
        self.execution, self.events = begun.execution, begun.events
        self.now = BEGIN

    def then(self, decision: Callable[..., Unfolding], *given: Any, **named: Any) -> None:
        """`decision` a second later."""
        self.now += timedelta(seconds=1)
        unfolding = decision(self.execution, *given, cause=Cause(self.now, "user:ann", "request", "tie"), **named)
        assert unfolding.events, "a story in which nothing happens"
        self.execution, self.events = unfolding.execution, self.events + unfolding.events

    def fire(self, step: str, kind: str) -> None:
        """The timer is due, and somebody notices."""
        self.now = max(self.now, self.execution.timers[step, kind])
        self.then(fire_timer, step, kind)

    def start(self, step: str, attempt: int = 1) -> None:
        self.then(start_step, step, attempt)

    def complete(self, step: str, output: object, attempt: int = 1, **used: object) -> None:
        self.start(step, attempt)
        self.then(complete_step, step, attempt, output, **used)

    def fail(self, step: str, error: StepError, attempt: int = 1) -> None:
        self.start(step, attempt)
        self.then(fail_step, step, attempt, error)

    def reserve_and_tell(self) -> None:
        """As far as the last step."""
        self.complete("reserve", {"number": 7})
        self.complete("tell", {"delivered": [{"channel": "slack", "id": f"{self.execution.id}:tell:slack"}]})

    @property
    def told(self) -> Told:
        assert self.execution.ended_at is not None, "a story without an end"
        return self.execution.id, self.events


def execution_undone(plans: Plans) -> Told:
    """The bank fails; one compensation fails for good, the other one succeeds when tried again, and costs something."""
    story = _Told(plans, 30)
    story.reserve_and_tell()
    story.fail("charge", BROKEN)
    story.fail(TELL, NOT_SET_UP)
    story.fail(RESERVE, BUSY)
    story.fire(RESERVE, "retry")
    story.complete(RESERVE, "given back", 2, usage=Usage(12, 3), cost=Money(Decimal("0.0049"), "USD"))
    return story.told


def execution_undone_when_cancelled(plans: Plans) -> Told:
    """The bank need not answer any more: no sign of life, too late, and called off. One compensation is late too."""
    story = _Told(plans, 31)
    story.reserve_and_tell()
    for attempt, kind in enumerate(("heartbeat", "timeout"), 1):
        story.start("charge", attempt)
        story.then(accept_step, "charge", attempt)
        story.fire("charge", kind)
        story.fire("charge", "retry")
    story.start("charge", 3)
    story.then(accept_step, "charge", 3)
    story.then(cancel_execution, "out of stock")
    story.complete(TELL, {"delivered": [{"channel": "email", "id": f"<{story.execution.id}.tell@example.com>"}]})
    story.start(RESERVE)
    story.fire(RESERVE, "timeout")
    story.fire(RESERVE, "retry")
    story.start(RESERVE, 2)
    story.fire(RESERVE, "timeout")
    return story.told


STORIES: dict[str, Callable[[Plans], Told]] = {
    "process-with-compensations": process_with_compensations,
    "execution-undone": execution_undone,
    "execution-undone-when-cancelled": execution_undone_when_cancelled,
}
