"""Runs one scenario to its end: the decisions that workers take, at once, on states in memory."""

import heapq
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from uuid import UUID, uuid5

from app.template_checks.answering import Answering
from app.template_checks.scenarios import ScriptedDecision
from app.template_checks.shelf import Shelf, StagedProcess
from app.template_checks.spending import StagedSpending
from commands.executions import answer_step
from commands.policies import whenever
from domain.agents.calls import Answer
from domain.calendar.durations import parse_duration
from domain.event import Cause, Event
from domain.executions.decisions.approval import Verdict, decide_approval
from domain.executions.decisions.execution import admit_execution, cancel_execution, start_execution
from domain.executions.decisions.step import start_step
from domain.executions.decisions.timer import fire_timer
from domain.executions.engine.unfolding import Unfolding
from domain.executions.events.child import ChildStarted, SubProcessClosed
from domain.executions.events.cost import CostRecorded
from domain.executions.events.execution import ExecutionEnded, Trigger
from domain.executions.events.messages import recipient_of
from domain.executions.events.outcomes import QUEUED, SCHEDULED, STARTED
from domain.executions.state.model import Execution
from domain.executions.verdicts import OPEN_APPROVAL, stored_status
from domain.identity import NAMESPACE
from store.lists.outbox import Message

MOST_TURNS = 20_000


class Stuck(Exception):
    """Nothing more happens, and the execution has not ended."""


class Stage:
    """The executions of one scenario. events: all that happened, in order, each with its execution."""

    def __init__(self, shelf: Shelf, answering: Answering, people: Sequence[ScriptedDecision], at: datetime) -> None:
        self.now = at
        self.events: list[tuple[UUID, Event]] = []
        self.executions: dict[UUID, Execution] = {}
        self.spending = StagedSpending()
        self._shelf = shelf
        self._answering = answering
        self._people = list(people)
        self._messages: deque[Message] = deque()
        self._answers: list[tuple[datetime, int, UUID, str, int, Answer]] = []
        self._numbers = count()

    def run(self, published: StagedProcess, input: dict[str, object], trigger: Trigger) -> Execution:
        """Start an execution and return it once it has ended. Raises Stuck, or what the start raises."""
        plan = published.plan
        id = uuid5(NAMESPACE, f"check:{plan.name}")
        callees = self._shelf.callees(plan)
        self._record(id, start_execution(id, plan, input, trigger, self._cause("user:check"), callees=callees))
        for _ in range(MOST_TURNS):
            if not self._turn() and not self._pass_time():
                break
        execution = self.executions[id]
        if execution.ended_at is None:
            waiting = [step for step, state in execution.steps.items() if state.ended_at is None]
            raise Stuck(f"the execution does not end; at the end it waits for {', '.join(waiting) or 'nothing'}")
        return execution

    @property
    def unused(self) -> list[ScriptedDecision]:
        """The acts of people that nothing has requested."""
        return self._people

    def _turn(self) -> bool:
        """Do one thing that is due; return whether there was one."""
        return self._handle_message() or self._begin_step() or self._take_answer() or self._fire() or self._decide()

    def _pass_time(self) -> bool:
        """Move the clock to the next instant at which something is due; return whether there is one."""
        instants = [due for execution in self.executions.values() for due in execution.timers.values()]
        instants += [answer[0] for answer in self._answers[:1]]
        instants += [due for due, *_ in self._decisions()]
        if not instants:
            return False
        self.now = max(self.now, min(instants))
        return True

    def _handle_message(self) -> bool:
        if not self._messages:
            return False
        message = self._messages.popleft()
        event, known = message.event, self.executions.get(message.recipient)
        if known is None and isinstance(event, ChildStarted):
            plan = self._shelf.get(event.process).plan.inner(event.body)
            known = Execution(message.recipient, plan, callees=self._shelf.callees(plan))
        if known is not None:
            decide = whenever(message, self._cause("worker:check"), 0, len(self.executions) - 1)
            self._record(message.recipient, decide(known))
        return True

    def _begin_step(self) -> bool:
        for id, execution in self.executions.items():
            if execution.status == QUEUED:
                self._record(id, admit_execution(execution, self._cause("worker:check")))
                return True
            for step, state in execution.steps.items():
                if state.status == SCHEDULED:
                    self._record(id, start_step(execution, step, state.attempt, self._cause("worker:check")))
                    takes, answer = self._answering.answer(self.executions[id], step)
                    due = self.now + takes, next(self._numbers), id, step, state.attempt, answer
                    heapq.heappush(self._answers, due)
                    return True
        return False

    def _take_answer(self) -> bool:
        if not self._answers or self._answers[0][0] > self.now:
            return False
        _, _, id, step, attempt, answer = heapq.heappop(self._answers)
        state = self.executions[id].steps[step]
        if (state.status, state.attempt) == (STARTED, attempt):
            self._record(id, answer_step(self.executions[id], step, attempt, answer, self._cause("worker:check")))
        return True

    def _fire(self) -> bool:
        for id, execution in self.executions.items():
            for (step, kind), due in execution.timers.items():
                if due <= self.now:
                    self._record(id, fire_timer(execution, step, kind, self._cause("worker:check")))
                    return True
        return False

    def _decide(self) -> bool:
        for due, id, step, attempt, act in self._decisions():
            if due <= self.now:
                self._people.remove(act)
                by, verdict = f"user:{act.by}", VERDICTS[stored_status(act.decision)]
                cause = self._cause(by)
                decided = decide_approval(self.executions[id], step, attempt, by, verdict, act.comment, cause)
                self._record(id, decided)
                return True
        return False

    def _decisions(self) -> list[tuple[datetime, UUID, str, int, ScriptedDecision]]:
        """Return the decisions on open approvals that people will make, with their times."""
        found = []
        for id, execution in self.executions.items():
            for key, approval in execution.approvals.items():
                step, _, attempt = key.rpartition(":")
                act = next((act for act in self._people if act.step == step), None)
                if approval.status == OPEN_APPROVAL and act is not None:
                    began = execution.steps[step].started_at or self.now
                    found.append((began + parse_duration(act.after), id, step, int(attempt), act))
        return found

    def _record(self, id: UUID, decided: Unfolding) -> None:
        before = decided.execution.version - len(decided.events)
        self.executions[id] = decided.execution
        for version, event in enumerate(decided.events, before + 1):
            self.events.append((id, event))
            recipient = recipient_of(event)
            if recipient is not None and isinstance(event, ChildStarted | SubProcessClosed | ExecutionEnded):
                self._messages.append(Message(id, version, recipient, event))
            if isinstance(event, CostRecorded):
                self._spend(id, event)

    def _spend(self, id: UUID, event: CostRecorded) -> None:
        """Count a cost, and cancel the execution where its limit says so."""
        for run in self.spending.spend(id, event, self.executions, self._shelf):
            execution = self.executions[run]
            if execution.ended_at is None:
                cancelled = cancel_execution(execution, "its costs have reached the limit", self._cause("policy:costs"))
                self._record(run, cancelled)

    def _cause(self, actor: str) -> Cause:
        return Cause(self.now, actor)


VERDICTS: dict[str, Verdict] = {"granted": "granted", "refused": "refused", "changes_requested": "changes_requested"}
