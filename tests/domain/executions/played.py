"""An execution whose worker, agents, operators and clock do as they are told."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from domain.agents.calls import StepError
from domain.event import Cause
from domain.executions.decisions.approval import decide_approval
from domain.executions.decisions.execution import cancel_execution
from domain.executions.decisions.repairs import reassign_step, retry_execution, retry_step, skip_step
from domain.executions.decisions.step import accept_step, complete_step, fail_step, start_step
from domain.executions.decisions.timer import fire_timer, fire_timer_early
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.step import StepAnswerIgnored, StepCompleted, StepFailed
from domain.executions.state.evolution import fold
from domain.money import Money
from domain.refusal import Refusal
from tests.domain.executions.conftest import Run
from tests.drawn_steps import drawn_step

Process = tuple[dict[str, list[str]], dict[str, dict[str, Any]]]
CHILD, NOWHERE = "child", "nowhere"
INPUT = {"input": {"n": {"type": "integer", "default": 1}}}
ACTIONS = ("ok", "text", "fail", "fire", "accept", "late", "repair", "again", "cancel", "restart", "say")
CENT = Money(Decimal("0.01"), "USD")


@st.composite
def processes(draw: st.DrawFn, largest: int = 8, calls: tuple[str, ...] = (CHILD, NOWHERE), many: int = 3) -> Process:
    """Draw up to `largest` steps, by what they depend on; `many` of ten or so call one of the processes `calls`."""
    random = draw(st.randoms(use_true_random=True))
    ids = [f"s{n}" for n in range(draw(st.integers(1, largest)))]
    steps = {each: drawn_step(random, ids, n, calls, many) for n, each in enumerate(ids)}
    graph = {each: step.pop("depends_on") for each, step in steps.items()}
    for each, step in steps.items():
        if random.random() < 0.1:
            step["condition"] = f"steps.{(graph[each] or ids)[0]}.output > 1"
        if "for_each" in step and random.random() < 0.2:
            step["for_each"]["items"] = "{{ execution.id }}"
        if "repeat" in step and random.random() < 0.2:
            step["repeat"]["until"] = "last.output.nowhere == 1"
    return graph, steps


class Clock:
    """The time, in seconds from the beginning."""

    def __init__(self, at: Callable[[float], Cause]) -> None:
        self._at, self.seconds = at, 0

    def now(self) -> Cause:
        """The cause of what happens now."""
        return self._at(self.seconds)

    def reach(self, due_at: Any) -> None:
        """Turn it to the first full second at which `due_at` has come."""
        self.seconds = max(self.seconds, -(-(due_at - self._at(0).at) // timedelta(seconds=1)))


class Played(Run):
    """One execution. Whatever is decided is checked against the laws that hold for single decisions.

    take: how many attempts a decision takes. costs: how many answers are to be paid for.
    """

    def __init__(self, begun: Unfolding, clock: Clock, take: int) -> None:
        super().__init__(begun)
        self.clock, self.take, self.costs = clock, take, 0
        self.plan = self.new.plan

    def log(self, unfolding: Unfolding) -> Unfolding:
        super().log(unfolding)
        assert self.timers == self.execution.timers
        return unfolding

    def decide(self, decision: Callable[..., Unfolding], *command: Any, repeatable: bool = True, **more: Any) -> None:
        """Carry a command out, and show that carrying it out again appends nothing."""
        cause = self.clock.now()
        try:
            self.log(decision(self.execution, *command, cause=cause, **more))
            if repeatable:
                assert decision(self.execution, *command, cause=cause, **more).events == []
        except Refusal:
            return

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.execution.ended_at is not None

    def with_status(self, *statuses: str) -> list[str]:
        """The steps that have one of them."""
        return [step for step, state in self.execution.steps.items() if state.status in statuses]

    def act(self, action: str, choice: int) -> None:
        """Do one thing, if it is possible now; anything else is done for a worker or an agent."""
        reached = list(self.execution.steps)
        match action:
            case "restart":
                self.execution = fold(self.new, self.events)
            case "cancel" if choice == 0:
                self.decide(cancel_execution, "script", take=self.take)
            case "repair" if reached:
                repair = [retry_step, skip_step, reassign_step][choice % 3]
                agent = ("other",) if repair is reassign_step else ()
                self.decide(repair, reached[choice % len(reached)], *agent, "script", repeatable=False)
            case "again":
                self.decide(retry_execution, "script", repeatable=False, take=self.take)
            case "fire" if self.timers:
                self.fire(*list(self.timers)[choice % len(self.timers)], early=choice == 9)
            case "say" if reached:
                step = reached[choice % len(reached)]
                verdict = ["granted", "refused", "changes_requested"][choice % 3]
                attempt = self.execution.steps[step].attempt
                self.decide(decide_approval, step, attempt, "user:ann", verdict, "", take=self.take)
            case "late" if reached:
                self.answer(reached[choice % len(reached)], 1, "ok")
            case _:
                self.work(action, choice)

    def work(self, answer: str, choice: int) -> bool:
        """A worker takes an attempt, or an agent answers one; False when there is none."""
        if due := self.with_status("scheduled"):
            step = due[choice % len(due)]
            self.decide(start_step, step, self.execution.steps[step].attempt, repeatable=False)
        elif called := self.with_status("started", "accepted"):
            step = called[choice % len(called)]
            self.answer(step, self.execution.steps[step].attempt, answer)
        else:
            return False
        return True

    def wait(self) -> bool:
        """Let the next timer come; False when there is none."""
        if not self.timers:
            return False
        step, kind = min(self.timers, key=self.timers.__getitem__)
        self.clock.reach(self.timers[step, kind])
        self.fire(step, kind)
        return True

    def fire(self, step: str, kind: str, *, early: bool = False) -> None:
        """A timer wakes somebody up, whether it is due or not."""
        self.decide(fire_timer, step, kind, take=self.take)
        if early:
            self.decide(fire_timer_early, step, kind, "script", take=self.take, repeatable=False)

    def answer(self, step: str, attempt: int, action: str) -> None:
        """An agent answers, rightly or not."""
        before = len(self.events)
        if action == "accept":
            self.decide(accept_step, step, attempt)
        elif action == "fail":
            self.decide(fail_step, step, attempt, StepError("agent_error", "script"), cost=CENT, take=self.take)
        else:
            output = "text" if action == "text" else attempt + 1
            self.decide(complete_step, step, attempt, output, cost=CENT, take=self.take)
        answers = (StepCompleted, StepFailed, StepAnswerIgnored)
        self.costs += any(isinstance(event, answers) for event in self.events[before:])
