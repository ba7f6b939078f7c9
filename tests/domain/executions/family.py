"""A family of executions: a root, those it calls, those that these call, and the messages between them."""

from uuid import UUID

from commands.policies import whenever
from domain.event import Cause
from domain.executions.decisions.execution import admit_execution, start_execution
from domain.executions.engine.unfolding import Take, Unfolding
from domain.executions.events.child import ChildStarted, SubProcessClosed
from domain.executions.events.execution import ExecutionEnded, ExecutionRetried, Trigger
from domain.executions.events.messages import recipient_of
from domain.executions.state.model import Execution
from domain.processes.plan import Plan, PlannedSubProcess
from store.lists.outbox import Message
from tests.domain.executions.played import Clock, Played

Line = tuple[UUID, UUID]
"""(source, recipient): what goes along one line arrives in order."""
Plans = dict[str, Plan]
FamilyScript = list[tuple[int, str, int, int]]

ROOT = UUID(int=1)
BETWEEN = (ChildStarted, SubProcessClosed, ExecutionEnded)


class Family:
    """Executions that follow a script of (member, action, choice, seconds), and are then brought to their ends.

    members: by id, in the order of their start. lines: what is on its way. delivered: what has arrived.
    """

    def __init__(self, plans: Plans, clock: Clock, script: FamilyScript, take: int) -> None:
        self.plans, self.clock, self.take = plans, clock, take
        self.members: dict[UUID, Played] = {}
        self.lines: dict[Line, list[Message]] = {}
        self.delivered: list[Message] = []
        self._sent: dict[UUID, int] = {}
        callees = self._callees(plans["top"])
        self._join(start_execution(ROOT, plans["top"], {"n": 1}, Trigger(), clock.now(), take, callees=callees))
        for member, action, choice, seconds in script:
            clock.seconds += seconds
            self._act(member, action, choice)
        while self._deliver(0):
            pass
        self.settle()
        for turn in range(3000):
            if not self._go_on(turn):
                break
        assert all(member.ended for member in self.members.values()), "a family that does not end"
        self.settle()

    def settle(self) -> None:
        """Everything that was asked for has been done: nobody waits in vain, and nobody runs in vain."""
        for member in self.members.values():
            assert not (member.ended and member.execution.children)
            for step in member.with_status("waiting"):
                child = member.execution.steps[step].child
                assert child is None or not self.members[child].ended, f"{step} waits for what has ended"
            closed = {event.child for event in member.events if isinstance(event, SubProcessClosed)}
            assert not {child for child in closed if self._runs(child)}
        for id, asked in self.asked():
            if self.members[id].execution.status not in ("running", "queued") and self.closes(id, asked):
                assert not self._runs(asked.child), "a child of what has ended runs"

    def retried(self, member: UUID) -> bool:
        """Whether an operator let it go on after it had ended, whatever its parent wants."""
        return any(isinstance(event, ExecutionRetried) for event in self.members[member].events)

    def closes(self, parent: UUID, asked: ChildStarted) -> bool:
        """Whether the child is to be cancelled when the step or its execution ends."""
        return self.members[parent].plan.steps[asked.step].on_parent_close == "cancel"

    def asked(self) -> list[tuple[UUID, ChildStarted]]:
        """Every call, with who made it."""
        members = self.members.items()
        return [(id, e) for id, member in members for e in member.events if isinstance(e, ChildStarted)]

    def _runs(self, member: UUID) -> bool:
        return self.members[member].execution.status in ("running", "queued") and not self.retried(member)

    def _callees(self, plan: Plan) -> Plans:
        calls = [step for step in plan.steps.values() if isinstance(step, PlannedSubProcess)]
        named = {step.id: self.plans[step.process] for step in calls if step.process in self.plans}
        return {**plan.bodies, **named}

    def _join(self, begun: Unfolding) -> None:
        self.members[begun.execution.id] = Played(begun, self.clock, self.take)
        self._send(begun.execution.id)

    def _send(self, source: UUID) -> None:
        events = self.members[source].events
        for version, event in enumerate(events[self._sent.get(source, 0) :], self._sent.get(source, 0) + 1):
            recipient = recipient_of(event) if isinstance(event, BETWEEN) else None
            if recipient is not None:
                self.lines.setdefault((source, recipient), []).append(Message(source, version, recipient, event))
        self._sent[source] = len(events)

    def _act(self, member: int, action: str, choice: int) -> None:
        id = list(self.members)[member % len(self.members)]
        if action == "deliver":
            self._deliver(member + choice)
        elif action == "again" and choice > 4 and self.delivered:
            self._deliver_again(member + choice)
        elif action == "admit":
            self._admit(id)
        else:
            self.members[id].act(action, choice)
            self._send(id)

    def _go_on(self, turn: int) -> bool:
        """Whatever can be done, and time passes only when nothing can; False when all is done."""
        if self._deliver(turn):
            return True
        ids = list(self.members)
        for id in ids[turn % len(ids) :] + ids[: turn % len(ids)]:
            if self.members[id].execution.status == "queued":
                return self._admit(id)
            if self.members[id].work("ok", turn):
                self._send(id)
                return True
        timed = [(min(member.timers.values()), id) for id, member in self.members.items() if member.timers]
        if not timed:
            return False
        _, id = min(timed)
        self.members[id].wait()
        self._send(id)
        return True

    def _admit(self, id: UUID) -> bool:
        self.members[id].decide(admit_execution, take=self.take)
        self._send(id)
        return True

    def _deliver(self, choice: int) -> bool:
        """The oldest message of some line arrives; False when nothing is on its way."""
        lines = [line for line, messages in self.lines.items() if messages]
        if not lines:
            return False
        line = lines[choice % len(lines)]
        message = self.lines[line].pop(0)
        source, recipient = line
        if isinstance(message.event, ChildStarted):
            plan = self.members[source].execution.callees[message.event.step]
            new = Execution(recipient, plan, callees=self._callees(plan))
            self._join(whenever(message, self.clock.now(), self.take, len(self.members) - 1)(new))
        else:
            self.members[recipient].decide(_answer, message, take=self.take)
            self._send(recipient)
        self.delivered.append(message)
        return True

    def _deliver_again(self, choice: int) -> None:
        """A message that has arrived arrives once more, and changes nothing."""
        message = self.delivered[choice % len(self.delivered)]
        if isinstance(message.event, SubProcessClosed) and self.retried(message.recipient):
            return
        assert _answer(self.members[message.recipient].execution, message, self.clock.now()).events == []


def _answer(execution: Execution, message: Message, cause: Cause, take: Take = 0) -> Unfolding:
    return whenever(message, cause, take)(execution)
