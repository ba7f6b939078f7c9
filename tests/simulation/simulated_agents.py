"""The agents of a simulation, with random answers and delays."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from commands.executions import answer_step
from domain.agents.calls import AbandonedAttempt, Accepted, AgentCall, Answer, Completed, Failed, StepError, Usage
from domain.costs.usage import Metered, TokenClasses
from domain.executions.decisions.step import start_response
from domain.executions.decisions.timer import record_heartbeat
from domain.executions.timers import HEARTBEAT
from domain.money import Money
from domain.refusal import Refusal
from scheduler.calling import Deliver

if TYPE_CHECKING:
    from simulated_world import World

Attempt = tuple[UUID, str, int]

PRICES = [Money(Decimal("0.01"), "USD"), Money(Decimal("0.002"), "USD"), Money(Decimal("0.01"), "EUR")]


def drawn_limits(random: Random) -> dict[str, Any]:
    """Return the limits of an agent, some of them or all; `MemoryLimits` checks each claim."""
    limits = {
        "max_open": random.choice((4, 8)),
        "rate": {"calls": random.choice((3, 10, 40)), "per": random.choice(("2s", "10s", "1m"))},
        "tokens": {"per_minute": random.choice((50, 400))},
    }
    return {name: limit for name, limit in limits.items() if random.random() < 0.7}


class Agents:
    """All agents. expected: attempts whose answers are still to come by a call back."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.expected: set[Attempt] = set()

    def line(self) -> "Line":
        """Return a gateway for one worker."""
        return Line(self)

    def call(self, attempt: Attempt, deliver: Callable[[Answer], None]) -> None:
        """Call the agent of an attempt: it answers now, later, or never, at random."""
        whim = self._world.random.random()
        takes = self._world.random.choice([0, 0.1, 1, 5, 25])
        if whim < 0.05:
            return  # its answer is lost
        if whim < 0.25:
            self._world.later(takes / 5, lambda: deliver(Accepted()))
            self.expected.add(attempt)
            self._world.later(takes + 0.5, lambda: self._call_back(attempt, self._answer()))
            heartbeat = getattr(self._world.execution(attempt[0]).plan.steps[attempt[1]], "heartbeat", None)
            if heartbeat is not None and self._world.random.random() < 0.8:
                self._beat(attempt, heartbeat.total_seconds() / 2)
            return
        if whim < 0.4:
            self._world.later(takes / 5, lambda: self._in_the_background(attempt))
        answer = self._answer()
        self._world.later(takes, lambda: deliver(answer))

    def _in_the_background(self, attempt: Attempt) -> None:
        """Keep the id of a response, as a gateway does while a model works on the attempt."""
        id_, step, number = attempt
        self._world.decide(
            id_, lambda execution: start_response(execution, step, number, "resp_1", self._world.cause("worker:1"))
        )

    def _answer(self) -> Answer:
        whim, cost = self._world.random.random(), self._world.random.choice(PRICES)
        if whim < 0.1:
            return Completed("yes", usage=Usage(3), metered=Metered(provider="house", tokens=TokenClasses(3)))
        if whim < 0.82:
            return Completed(self._world.random.choice(["yes", "no", 3, None]), cost=cost)
        if whim < 0.95:
            wait = self._world.random.choice([None, timedelta(seconds=7)])
            code = self._world.random.choice(["agent_error", "agent_rate_limited"])
            return Failed(StepError(code, "a whim", retry_after=wait), cost=cost)
        return Failed(StepError("bad_request", "a whim", permanent=True))

    def _call_back(self, attempt: Attempt, answer: Answer) -> None:
        """Answer later, as the agent promised; answer again without a reply, and at times twice."""
        id_, step, number = attempt
        received = self._world.decide(
            id_, lambda execution: answer_step(execution, step, number, answer, self._world.cause("agent"))
        )
        if received:
            self.expected.discard(attempt)
        if not received or self._world.random.random() < 0.2:
            self._world.later(self._world.random.uniform(0, 9), lambda: self._call_back(attempt, answer))

    def _beat(self, attempt: Attempt, every: float) -> None:
        def beat() -> None:
            id_, step, number = attempt
            try:
                due_at = record_heartbeat(self._world.execution(id_), step, number, self._world.now)
            except Refusal:
                return
            if due_at is not None and (id_, step, HEARTBEAT) in self._world.lists.due_timers:
                self._world.lists.due_timers[id_, step, HEARTBEAT] = due_at
            if self._world.random.random() < 0.9:
                self._world.later(every, beat)

        self._world.later(every, beat)

    def notify_abandoned(self, notified: Callable[[bool], None]) -> None:
        """Notify an agent that its answer is no longer awaited; at times it cannot be reached."""
        accepts = self._world.random.random() < 0.7
        self._world.later(self._world.random.choice([0, 1, 5]), lambda: notified(accepts))


class Line:
    """Implements `scheduler.calling.CallsAgents`: an answer is delivered once, unless the call is cancelled before."""

    def __init__(self, agents: Agents) -> None:
        self._agents = agents
        self._open: set[Attempt] = set()

    def begin(
        self, call: AgentCall, config: dict[str, Any], deliver: Deliver, sends: Callable[[AgentCall], None]
    ) -> None:
        sends(call)
        self.notify(call, deliver)

    def notify(self, call: AgentCall, deliver: Deliver) -> None:
        attempt = (call.execution_id, call.step, call.attempt)
        self._open.add(attempt)

        def answered(answer: Answer) -> None:
            if attempt in self._open:
                self._open.discard(attempt)
                deliver(call, answer)

        self._agents.call(attempt, answered)

    def notify_abandoned(
        self, abandoned: AbandonedAttempt, config: dict[str, Any], notified: Callable[[bool], None]
    ) -> None:
        self._agents.notify_abandoned(notified)

    def cancel(self, execution_id: UUID, step: str, attempt: int) -> None:
        self._open.discard((execution_id, step, attempt))
