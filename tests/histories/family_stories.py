"""What happened in the golden histories of executions that call others. Add; never change a told one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.agents.calls import StepError
from domain.event import Cause, Event
from domain.executions.decisions.child import close_child, end_child, start_child
from domain.executions.decisions.execution import admit_execution, cancel_execution, start_execution
from domain.executions.decisions.step import complete_step, fail_step, start_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.child import SubProcessClosed, SubProcessStarted
from domain.executions.events.execution import Trigger
from domain.executions.state.model import Execution
from domain.identity import child_id, process_id
from domain.language import parse_definition
from domain.processes.decisions import draft_process, publish_process
from domain.processes.plan import Plan
from domain.processes.process import fold

Plans = dict[tuple[UUID, int], Plan]
Told = tuple[UUID, list[Event]]

CALLED = "golden-called"
CALLED_SOURCE = """name: golden-called
description: Is called, and looks at one text at a time.
input:
  text: {type: string, required: true}
  readers: {type: integer, default: 1}
max_running: 1
steps:
  - {id: look, agent: reviewer, message: "{{ input.readers }} will read {{ input.text }}"}
outputs: {found: "{{ steps.look.output }}"}
"""
CALLING = "golden-calling"
CALLING_SOURCE = """name: golden-calling
description: Calls others and tells people.
input:
  text: {type: string, required: true}
triggers:
  - {id: nightly, type: schedule, cron: "0 3 * * MON-FRI", timezone: Europe/Berlin, input: {text: news}}
  - {id: month-end, type: schedule, preset: monthly, at: "18:00", day: last, overlap: buffer_one, input: {text: all}}
costs:
  per_execution: {amount: "5.00", currency: USD, warn_at: 0.8}
  daily: [{amount: "50.00", currency: USD}, {amount: "80.00", currency: USD}]
  timezone: Europe/Berlin
steps:
  - id: review
    type: sub_process
    process: golden-called
    version: 1
    input_mapping: {text: "{{ input.text }}", readers: 120}
    output_key: verdict
    timeout: 1h
    total_timeout: 90m
    retry: {max_attempts: 2, delay: 10s}
  - id: teaser
    type: sub_process
    process: golden-called
    input_mapping: {text: "Soon: {{ input.text }}"}
    wait: false
  - id: archive
    type: sub_process
    process: golden-called
    input_mapping: {text: old}
    wait: false
    on_parent_close: abandon
  - id: tell
    type: notification
    channels: [email, webhook]
    subject: "About {{ input.text }}"
    message: "It said {{ steps.review.output.verdict.found }}"
    recipients: [ann@example.com, bob@example.com]
    url: https://shop.example/told
    depends_on: [review, teaser, archive]
  - {id: send, agent: mailer, depends_on: tell, message: Send it}
outputs: {told: "{{ steps.tell.output.delivered }}"}
"""
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BROKEN = StepError("agent_error", "broken", permanent=True)
DELIVERED = {"delivered": [{"channel": "email", "id": "golden:tell:email"}, {"channel": "webhook", "id": "golden"}]}


def _published(source: str) -> Told:
    parsed = parse_definition(source)
    assert parsed.name is not None
    assert not parsed.errors
    events = draft_process(None, parsed, Cause(BEGIN, "user:ann"))
    state = fold(events)
    assert state is not None
    return process_id(parsed.name), events + publish_process(state, parsed, [], Cause(BEGIN, "user:ann"))


def process_called(_: Plans) -> Told:
    """Drafted and published: it may be called by others, and runs once at a time."""
    return _published(CALLED_SOURCE)


def process_calling(_: Plans) -> Told:
    """Drafted and published, with schedules, costs and a notification."""
    return _published(CALLING_SOURCE)


class _Told:
    """An execution in which something happens every minute."""

    def __init__(self, begun: Unfolding, now: datetime = BEGIN) -> None:
        self.execution, self.events = begun.execution, begun.events
        self.now = now

    def then(self, decision: Callable[..., Unfolding], *given: Any, after: int = 60, **named: Any) -> None:
        """`decision` some seconds later."""
        self.now += timedelta(seconds=after)
        unfolding = decision(self.execution, *given, cause=Cause(self.now, "worker:tie", "message"), **named)
        assert unfolding.events, "a story in which nothing happens"
        self.execution, self.events = unfolding.execution, self.events + unfolding.events

    def fire(self, step: str, kind: str) -> None:
        """The timer is due, and somebody notices."""
        self.now = max(self.now, self.execution.timers[step, kind])
        self.then(fire_timer, step, kind, after=1)

    def complete(self, step: str, output: object, attempt: int = 1) -> None:
        self.then(start_step, step, attempt)
        self.then(complete_step, step, attempt, output)

    def fail(self, step: str, error: StepError, attempt: int = 1) -> None:
        self.then(start_step, step, attempt)
        self.then(fail_step, step, attempt, error)

    def child(self, step: str, attempt: int = 1, descendants: int = 0) -> "_Told":
        """The execution that an attempt asked for."""
        child = child_id(self.execution.id, step, attempt)
        asked = next(event for event in self.events if isinstance(event, SubProcessStarted) and event.child == child)
        cause = Cause(self.now, "worker:tie", "message")
        new = Execution(child, self.execution.callees[step])
        return _Told(start_child(new, asked, self.execution.id, cause, descendants=descendants), self.now)

    def hear(self, child: "_Told") -> None:
        """How a child ended."""
        self.now = max(self.now, child.now)
        self.then(end_child, child.execution.id, child.events[-1])

    @property
    def told(self) -> Told:
        assert self.execution.ended_at is not None, "a story without an end"
        return self.execution.id, self.events


def _callees(plans: Plans) -> dict[str, Plan]:
    return dict.fromkeys(("review", "teaser", "archive"), plans[process_id(CALLED), 1])


def _calling(plans: Plans, number: int) -> _Told:
    plan, cause = plans[process_id(CALLING), 1], Cause(BEGIN, "user:ann", "request", "tie")
    given = {"text": "käse"}
    return _Told(start_execution(UUID(int=number), plan, given, Trigger(), cause, callees=_callees(plans)))


def _reviewed(story: _Told, attempt: int = 1) -> _Told:
    """A child that waits for its turn, is admitted and completes, and what follows from that."""
    child = story.child("review", attempt)
    child.then(admit_execution)
    child.complete("look", ["much", 1])
    story.hear(child)
    return child


def _retried(plans: Plans) -> tuple[_Told, _Told, _Told]:
    """The first child fails, the second one completes."""
    story = _calling(plans, 20)
    first = story.child("review")
    first.then(admit_execution)
    first.fail("look", BROKEN)
    story.hear(first)
    story.fire("review", "retry")
    second = _reviewed(story, 2)
    story.complete("tell", DELIVERED)
    story.complete("send", None)
    return story, first, second


def _called_off(plans: Plans) -> tuple[_Told, _Told, _Told]:
    """Called itself; its first child takes too long, and the second one is cancelled."""
    asked = SubProcessStarted(
        at=BEGIN,
        actor="worker:tie",
        step="press",
        attempt=1,
        child=UUID(int=21),
        process_id=process_id(CALLING),
        process=CALLING,
        version=1,
        input={"text": "käse"},
        root=UUID(int=19),
        depth=1,
        path=[UUID(int=19)],
        holds=[process_id("golden-edition")],
    )
    new = Execution(UUID(int=21), plans[process_id(CALLING), 1], callees=_callees(plans))
    story = _Told(start_child(new, asked, UUID(int=19), Cause(BEGIN, "worker:tie", "message")))
    first = story.child("review")
    story.fire("review", "timeout")
    closed = next(event for event in story.events if isinstance(event, SubProcessClosed))
    first.then(close_child, closed, story.execution.id, after=3601)
    story.fire("review", "retry")
    second = story.child("review", 2)
    second.then(cancel_execution, "nobody has the time")
    story.hear(second)
    return story, first, second


def execution_calling(plans: Plans) -> Told:
    """A child fails, another one completes; of those nobody waited for, one is closed at the end and one is not."""
    return _retried(plans)[0].told


def execution_called_in_vain(plans: Plans) -> Told:
    """It waits for its turn, is admitted, fails, and reports that."""
    return _retried(plans)[1].told


def execution_called(plans: Plans) -> Told:
    """It waits for its turn, is admitted, completes, and reports that."""
    return _retried(plans)[2].told


def execution_calling_and_called(plans: Plans) -> Told:
    """The first child takes too long and is closed; the second one is cancelled, which fails the execution."""
    return _called_off(plans)[0].told


def execution_called_off(plans: Plans) -> Told:
    """It waits for its turn when it is not wanted any longer."""
    return _called_off(plans)[1].told


def execution_called_and_cancelled(plans: Plans) -> Told:
    """Called off while it waits for its turn, and reports that."""
    return _called_off(plans)[2].told


def execution_called_too_often(plans: Plans) -> Told:
    """Nobody waits for it, and it is one too many for its root."""
    return _calling(plans, 24).child("teaser", descendants=10_000).told


STORIES: dict[str, Callable[[Plans], Told]] = {
    "process-called": process_called,
    "process-calling": process_calling,
    "execution-calling": execution_calling,
    "execution-called-in-vain": execution_called_in_vain,
    "execution-called": execution_called,
    "execution-calling-and-called": execution_calling_and_called,
    "execution-called-off": execution_called_off,
    "execution-called-and-cancelled": execution_called_and_cancelled,
    "execution-called-too-often": execution_called_too_often,
}
