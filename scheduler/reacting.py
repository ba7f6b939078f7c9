"""The duty of reacting to messages: children start or are closed, parents go on, agents are notified."""

from collections import Counter, deque
from datetime import timedelta
from functools import partial
from uuid import UUID

from commands.deciding import Guards
from commands.policies import whenever
from domain.event import Cause
from domain.executions.events.child import SubProcessStarted
from domain.executions.events.execution import ExecutionEnded
from domain.executions.outcomes import ABANDONS_ATTEMPT
from domain.executions.state.model import Execution
from scheduler.batch import Batch
from scheduler.duty import Desk, Duty
from store.lists.outbox import Message
from store.unit import MessageKey, Outage

MAX_CLAIM = 500
BATCH = 250
# A message that meets a conflict so often is left alone. A worker claims it again later, if it still is on the list: if
# it is not, because another worker struck it off, every append that answers it is a conflict.
TRIES = 10
# Agents that stay unreachable for so long are not notified.
NOTIFY_FOR = timedelta(minutes=1)


class Reacting(Duty):
    """Handles messages between executions, each in the append of what follows from it."""

    word = "message"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._held: deque[Message] = deque()
        self._notified: deque[MessageKey] = deque()

    @property
    def ready(self) -> bool:
        """Whether messages may wait, or this worker has some."""
        return self._awake or bool(self._held or self._notified)

    def work(self) -> None:
        """Handle the messages that this worker has, and others that no worker has."""
        if self._awake:
            self._awake = False
            claimed = self.desk.lists.claim_messages(MAX_CLAIM, self._leave_alone)
            self._held.extend(claimed)
            self._awake |= len(claimed) == MAX_CLAIM
        if self._held or self._notified:
            self._react()

    def recorded(self, batch: Batch) -> None:
        """Take the messages of a batch: the append claimed them for this worker."""
        self._held.extend(batch.messages)

    def release(self) -> None:
        """Let other workers handle what is claimed."""
        if self._held:
            self.desk.lists.release_messages([message.key for message in self._held])
            self._held.clear()

    def _react(self) -> None:
        self._drop([self._notified.popleft() for _ in range(len(self._notified))])
        taken = [self._held.popleft() for _ in range(min(BATCH, len(self._held)))]
        for message in taken:
            if type(message.event) in ABANDONS_ATTEMPT:
                self.desk.calling.notify_agent(message, partial(self._after_notifying, message))
        messages = [message for message in taken if type(message.event) not in ABANDONS_ATTEMPT]
        try:
            for tried in range(TRIES):
                if not messages:
                    break
                messages = self._handle(messages, fresh=tried > 0)
        except BaseException:
            self._held.extendleft(reversed(messages))
            raise

    def _handle(self, messages: list[Message], *, fresh: bool) -> list[Message]:
        """Decide and append; return the messages to handle again, on states read from the log."""
        batch, idle = self._decide(messages, fresh=fresh)
        again = self.desk.appending.now(batch)
        if fresh:
            # A message that means nothing even then was handled before, or asks for what has happened already; unless
            # the decision that made it mean nothing, just before it, was not recorded.
            certain = batch.loaded.keys() - batch.broken - again
            self._drop([message.key for message in idle if message.recipient in certain])
            idle = []
        return [each for each in messages if each.recipient in again or each in idle]

    def _decide(self, messages: list[Message], *, fresh: bool) -> tuple[Batch, list[Message]]:
        begin = {} if fresh else {m.recipient: m.source for m in messages if isinstance(m.event, SubProcessStarted)}
        # The state of a new child's parent is loaded instead: it is kept, then, when the child ends.
        batch = self.desk.batch((begin.get(each.recipient, each.recipient) for each in messages), fresh=fresh)
        size = self._sizes(messages)
        idle: list[Message] = []
        for message in messages:
            guards: Guards = ()
            descendants = 0
            if isinstance(message.event, SubProcessStarted) and message.recipient not in batch.loaded:
                alone = message.recipient in self.desk.states.left_alone
                new = None if alone else self._new(message.recipient, message.event, fresh=fresh)
                if new is None:
                    idle.append(message)
                    continue
                batch.loaded[message.recipient], guards = new
                descendants = size[message.event.root]
                size[message.event.root] += 1
            decision = whenever(message, _cause(self.desk, message), self.desk.take(batch), descendants)
            if not batch.decide(message.recipient, decision, message.key, guards):
                idle.append(message)
        return batch, idle

    def _new(self, id: UUID, asked: SubProcessStarted, *, fresh: bool) -> tuple[Execution, Guards] | None:
        """Return an execution that has not begun, and the processes that its calls rest on.

        None when this worker cannot read its process: another one may, such as one of a newer release.
        """
        plans = self.desk.plans
        try:
            plan = plans.get(asked.process_id, asked.version)
            if fresh:
                plans.forget(callee for callee, _ in plans.callees(plan)[1])
            callees, guards = plans.callees(plan)
        except Outage:
            raise
        except Exception as error:  # noqa: BLE001 - logged there
            self.desk.states.left_alone.add(asked.process_id, "process", error)
            return None
        return Execution(id, plan, callees=callees), guards

    def _after_notifying(self, message: Message, knows: bool) -> None:
        """Strike the message off; while the agent does not know, the message stays on the list to be claimed again."""
        if knows or self.desk.clock.now() - message.event.at > NOTIFY_FOR:
            self._notified.append(message.key)
            self.desk.nudge()

    def _leave_alone(self, source: UUID, _position: int, error: Exception) -> None:
        self.desk.states.left_alone.add(source, "execution", error)

    def _drop(self, keys: list[MessageKey]) -> None:
        if keys:
            self.desk.lists.drop_messages(keys)

    def _sizes(self, messages: list[Message]) -> Counter[UUID]:
        """Return the number of descendants of the roots of children that are to start."""
        asked = [(each, each.event) for each in messages if isinstance(each.event, SubProcessStarted)]
        # With its second event a root starts its first child; most roots start no more.
        roots = {event.root for message, event in asked if event.depth > 1 or message.version > 2}
        return Counter(self.desk.lists.descendants(roots)) if roots else Counter()


def follow_up(desk: Desk, batch: Batch) -> None:
    """Let parents go on, in the same append, whose children end in the batch, as far as their states are kept.

    If a conflict splits the append, a parent whose child's end was not recorded meets one too.
    """
    seen: set[MessageKey] = set()
    while messages := [each for each in batch.asked() if each.key not in seen]:
        seen.update(message.key for message in messages)
        for message in messages:
            to = message.recipient
            if isinstance(message.event, ExecutionEnded) and to not in desk.appending.in_flight:
                parent = desk.states.kept(to)
                if parent is not None:
                    batch.loaded.setdefault(to, parent)
                    batch.decide(to, whenever(message, _cause(desk, message), desk.take(batch)), message.key)


def _cause(desk: Desk, message: Message) -> Cause:
    return desk.cause(f"message:{message.source}:{message.version}")
