"""What happened in the golden histories with timers, retries, branches and repairs. Add; never change a told one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from domain.agents.calls import StepError, Usage
from domain.event import Cause, Event
from domain.executions.decisions.execution import cancel_execution, start_execution
from domain.executions.decisions.repairs import reassign_step, retry_execution, retry_step, skip_step
from domain.executions.decisions.step import accept_step, complete_step, fail_step, start_step
from domain.executions.decisions.timer import fire_timer, move_timer
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

NAME = "golden-routes"
SOURCE = """name: golden-routes
description: Timers, retries and branches.
input:
  amount: {type: number, default: 15}
steps:
  - {id: pause, type: timer, duration: 1h, total_timeout: 2h}
  - {id: morning, type: timer, until: "2026-01-01T09:00", timezone: Europe/Berlin}
  - id: way
    type: gateway
    depends_on: [pause, morning]
    routes:
      - {condition: input.amount > 1000, target: judge}
      - {condition: input.amount > 100, target: pay}
    default_route: refuse
  - {id: judge, agent: judge, message: decide, heartbeat: 1m, on_error: {goto_step: refuse}}
  - id: pay
    agent: clerk
    message: "Pay {{ input.amount }}"
    timeout: 30s
    total_timeout: 10m
    retry: {max_attempts: 3, delay: 10s, backoff: exponential}
    max_cost: {amount: "0.50", currency: USD}
    on_timeout: skip
  - {id: refuse, agent: clerk, message: refuse}
  - {id: close, agent: archive, depends_on: [judge, pay, refuse], message: "{{ steps.way.output.chosen }}"}
outputs: {way: "{{ steps.way.output.chosen }}"}
"""
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BUSY = StepError("agent_error", "busy", retry_after=timedelta(seconds=45))
BROKEN = StepError("agent_error", "broken", permanent=True)
USAGE = Usage(12, 3, 1, {"prompt_tokens": 12})
COST = Money(Decimal("0.0049"), "USD")


def process_with_branches(_: Plans) -> Told:
    """Drafted and published."""
    parsed = parse_definition(SOURCE)
    events = draft_process(None, parsed, Cause(BEGIN, "user:ann"))
    state = fold(events)
    assert state is not None
    events += publish_process(state, parsed, [], Cause(BEGIN, "user:ann"))
    return process_id(NAME), events


class _Told:
    """An execution as time goes on."""

    def __init__(self, plans: Plans, number: int, amount: int) -> None:
        self.id = UUID(int=number)
        self.now = BEGIN
        cause = Cause(BEGIN, "user:ann", "request", "tie")
        begun = start_execution(self.id, plans[process_id(NAME), 1], {"amount": amount}, Trigger(), cause)
        self.execution, self.events = begun.execution, begun.events

    def then(self, decision: Callable[..., Unfolding], *given: object, after: float = 1, **named: object) -> None:
        """`decision` some seconds later."""
        self.now += timedelta(seconds=after)
        unfolding = decision(self.execution, *given, cause=Cause(self.now, "user:ann", "request", "tie"), **named)
        assert unfolding.events, "a story in which nothing happens"
        self.execution, self.events = unfolding.execution, self.events + unfolding.events

    def fire(self, step: str, kind: str, late: float = 0.25) -> None:
        """The timer is due, and somebody notices."""
        self.now = max(self.now, self.execution.timers[step, kind])
        self.then(fire_timer, step, kind, after=late)

    def pass_timers(self) -> None:
        """Both timers fire, and the gateway chooses."""
        self.fire("pause", "timer")
        self.fire("morning", "timer")

    def start(self, step: str, attempt: int = 1) -> None:
        self.then(start_step, step, attempt)

    def finish(self) -> None:
        """What is left to do is done."""
        self.start("close")
        self.then(complete_step, "close", 1, "closed")

    @property
    def told(self) -> Told:
        assert self.execution.ended_at is not None, "a story without an end"
        return self.id, self.events


def execution_retried(plans: Plans) -> Told:
    """Timers moved and fired; an attempt fails, the next takes too long, the last too; it is skipped, and answers."""
    story = _Told(plans, 11, 500)
    story.then(move_timer, "pause", "timer", BEGIN + timedelta(minutes=30), "no need to wait")
    story.pass_timers()
    story.start("pay")
    story.then(fail_step, "pay", 1, BUSY, usage=USAGE, cost=COST)
    story.fire("pay", "retry")
    story.start("pay", 2)
    story.fire("pay", "timeout")
    story.then(complete_step, "pay", 2, "too late", usage=USAGE, cost=COST)
    story.fire("pay", "retry")
    story.start("pay", 3)
    story.fire("pay", "timeout")
    story.finish()
    return story.told


def execution_diverted(plans: Plans) -> Told:
    """The agent that was to answer later is silent, and the process goes on elsewhere."""
    story = _Told(plans, 12, 5000)
    story.pass_timers()
    story.start("judge")
    story.then(accept_step, "judge", 1)
    story.fire("judge", "heartbeat")
    story.start("refuse")
    story.then(complete_step, "refuse", 1, "refused")
    story.finish()
    return story.told


def execution_repaired(plans: Plans) -> Told:
    """It takes the default route, fails, goes on with another agent, is begun again, and is at last gone on without."""
    story = _Told(plans, 13, 5)
    story.pass_timers()
    story.start("refuse")
    story.then(fail_step, "refuse", 1, BROKEN)
    story.then(retry_execution, "the clerk is back")
    story.start("refuse", 2)
    story.then(reassign_step, "refuse", "judge", "the clerk left again")
    story.start("refuse", 3)
    story.then(retry_step, "refuse", "it hangs")
    story.start("refuse", 4)
    story.then(skip_step, "refuse", "nobody minds")
    story.finish()
    return story.told


def execution_timed_out(plans: Plans) -> Told:
    """A timer takes longer than it may, which fails the execution while another one waits."""
    story = _Told(plans, 14, 5)
    story.then(move_timer, "pause", "timer", BEGIN + timedelta(hours=5), "the shop is closed")
    story.then(move_timer, "morning", "timer", BEGIN + timedelta(hours=6), "the shop is closed")
    story.fire("pause", "total_timeout")
    return story.told


def execution_cancelled_while_waiting(plans: Plans) -> Told:
    """Called off while two timers wait."""
    story = _Told(plans, 15, 5)
    story.then(cancel_execution, "no refund after all")
    return story.told


STORIES: dict[str, Callable[[Plans], Told]] = {
    "process-with-branches": process_with_branches,
    "execution-retried": execution_retried,
    "execution-diverted": execution_diverted,
    "execution-repaired": execution_repaired,
    "execution-timed-out": execution_timed_out,
    "execution-cancelled-while-waiting": execution_cancelled_while_waiting,
}
