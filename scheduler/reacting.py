"""The duty of reacting to messages: children start or are closed, parents go on, agents are notified."""

import logging
from collections import Counter, deque
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from commands.deciding import Guards
from commands.policies import whenever
from domain.event import Cause
from domain.executions.engine.unfolding import Take, Unfolding
from domain.executions.events.child import ChildStarted
from domain.executions.events.execution import ExecutionEnded
from domain.executions.events.outcomes import ABANDONS_ATTEMPT
from domain.executions.state.model import Execution
from scheduler.appending import Again, Work
from scheduler.batch import Batch
from scheduler.duty import Desk, Duty
from scheduler.ended_runs import end_runs, reports_to_schedule
from store.lists.outbox import Message
from store.mapper import UnknownEvent
from store.unit import Conflict, EventsMissing, MessageKey, Outage

logger = logging.getLogger(__name__)

MAX_CLAIM = 500
BATCH = 250
# A worker leaves a message that meets a conflict so often alone, and claims it again later if it is still on the list.
# If another worker has struck it off, every append that answers it is a conflict.
TRIES = 10
# The worker does not notify agents that stay unreachable for so long.
NOTIFY_FOR = timedelta(minutes=1)


class Reacting(Duty):
    """Handles messages between executions, each in the append of the events that follow from it."""

    word = "message"
    overlaps = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._blocked = False  # all messages that this worker has are for executions on their way
        self._held: deque[Message] = deque()
        self._notified: deque[MessageKey] = deque()
        self._contended: set[UUID] = set()

    @property
    def ready(self) -> bool:
        """Whether messages may wait, or this worker has some that may be decided on now."""
        if self.desk.appending.full:
            return False
        return self._awake or bool(self._notified or (self._held and not self._blocked))

    def wake(self, detail: str = "") -> None:
        """Note that messages may wait, and go through those that this worker has again."""
        super().wake()
        self._blocked = False

    def work(self) -> None:
        """Handle the messages that this worker has, and others that no worker has."""
        if self._awake:
            self._awake = False
            claimed = self.desk.lists.claim_messages(MAX_CLAIM, self._leave_alone)
            self._held.extend(claimed)
            self._awake |= claimed.more
        if self._held or self._notified:
            self._react()

    def recorded(self, batch: Batch) -> None:
        """Take the messages of a batch: the append claimed them for this worker."""
        self._blocked = False
        if self._contended:
            self._contended.difference_update(batch.recorded())
        self._held.extend(batch.messages)

    def release(self) -> None:
        """Let other workers handle the claimed messages."""
        if self._held:
            self.desk.lists.release_messages([message.key for message in self._held])
            self._held.clear()

    def _react(self) -> None:
        self._drop([self._notified.popleft() for _ in range(len(self._notified))])
        messages = self._take()
        again: Again | None = None
        try:
            for message in messages:
                if type(message.event) in ABANDONS_ATTEMPT:
                    self._notify(message)
            messages = [message for message in messages if type(message.event) not in ABANDONS_ATTEMPT]
            if any(map(reports_to_schedule, messages)):
                end_runs(self.desk, [message for message in messages if reports_to_schedule(message)])
                messages = [message for message in messages if not reports_to_schedule(message)]
            messages = self._without_aside(messages)
            if not messages:
                return
            batch, idle, rest = self._decide(messages, fresh=False)
            self._keep(rest)
            messages = messages[: len(messages) - len(rest)]
            appending = self.desk.appending
            if not appending.busy and not self._held and not self.desk.answers and self.desk.quiet():
                again = appending.now(batch)
        except BaseException:
            self._keep(messages)
            raise
        if again is None:
            appending.later(Work(batch, lambda again: self._after(messages, idle, again), lambda: self._keep(messages)))
        else:
            self._after(messages, idle, again)

    def _take(self) -> list[Message]:
        """Return messages to handle now: not those to executions on their way, and no more than fit a batch."""
        taken: list[Message] = []
        waiting: list[Message] = []
        in_flight = self.desk.appending.in_flight
        while self._held and len(taken) < BATCH:
            message = self._held.popleft()
            (waiting if message.recipient in in_flight else taken).append(message)
        self._keep(waiting)
        self._blocked = not taken
        return taken

    def _keep(self, messages: Sequence[Message]) -> None:
        self._held.extendleft(reversed(messages))

    def _after(self, messages: Sequence[Message], idle: Sequence[Message], again: Again) -> None:
        """Handle afresh the messages that met a conflict, or that lead to nothing on states from memory."""
        nothing = {message.key for message in idle}
        left = [message for message in messages if message.recipient in again or message.key in nothing]
        try:
            for _ in range(1, TRIES):
                left = self._without_aside(left)
                if not left:
                    return
                left, again = self._handle_afresh(left)
            self._without_aside(left)
            self._stuck(left, again)
        except BaseException:
            self._keep(left)
            raise

    def _notify(self, message: Message) -> None:
        try:
            self.desk.calling.notify_agent(message, partial(self._after_notifying, message))
        except Outage:
            raise
        except Exception:
            # The notice is a courtesy: a worker claims the message again, until it is too old.
            logger.exception("the agent of execution %s could not be notified", message.source)
            self._after_notifying(message, accepted=False)

    def _without_aside(self, messages: list[Message]) -> list[Message]:
        """Postpone messages to executions that are set aside; return the others."""
        waiting = self.desk.aside.waiting([message.recipient for message in messages])
        for id, until in waiting.items():
            keys = [message.key for message in messages if message.recipient == id]
            self.desk.lists.postpone_messages(keys, until)
        return [message for message in messages if message.recipient not in waiting]

    def _stuck(self, messages: list[Message], errors: Again) -> None:
        """Set aside the recipients of messages that met a conflict every time and are still to be handled.

        Other workers may have changed a recipient each time: it is set aside when that happens twice in a row.
        """
        if not errors:
            return
        listed = self.desk.lists.listed_messages([message.key for message in messages])
        for id in {message.recipient for message in messages if message.key in listed}:
            error = errors.get(id)
            if isinstance(error, EventsMissing) or (isinstance(error, Conflict) and id in self._contended):
                self.desk.aside.add(id, error)
            elif error is not None:
                self._contended.add(id)
        self._without_aside(messages)

    def _handle_afresh(self, messages: list[Message]) -> tuple[list[Message], Again]:
        """Decide on states read from the log, and append; return the messages to handle again, and their conflicts."""
        batch, needless, rest = self._decide(messages, fresh=True)
        again = self.desk.appending.now(batch)
        # A message that leads to nothing even then was handled before, or requests something that has happened;
        # unless an earlier decision in the batch has this effect, and was not recorded.
        certain = batch.loaded.keys() - batch.broken - again.keys() - batch.failures.keys()
        self._drop([message.key for message in needless if message.recipient in certain])
        self.desk.aside.resolved({message.recipient for message in needless} & certain)
        idle = {message.key for message in needless if message.recipient in batch.failures}
        self._keep(rest)
        messages = messages[: len(messages) - len(rest)]
        return [each for each in messages if each.recipient in again or each.key in idle], again

    def _decide(self, messages: list[Message], *, fresh: bool) -> tuple[Batch, list[Message], list[Message]]:
        """Return a batch, the messages that lead to nothing, and the last ones, which follow when the batch is full."""
        begin = {} if fresh else {m.recipient: m.source for m in messages if isinstance(m.event, ChildStarted)}
        # In place of a new child's state, load its parent's: it is then kept when the child ends.
        size = self._sizes(messages)
        batch = self.desk.batch((begin.get(each.recipient, each.recipient) for each in messages), fresh=fresh)
        take = self.desk.take(batch)
        idle: list[Message] = []
        for n, message in enumerate(messages):
            if batch.full:
                return batch, idle, messages[n:]
            guards: Guards = ()
            descendants = 0
            if isinstance(message.event, ChildStarted) and message.recipient not in batch.loaded:
                alone = message.recipient in self.desk.states.left_alone
                new = None if alone else self._new(batch, message.recipient, message.event, fresh=fresh)
                if new is None:
                    idle.append(message)
                    continue
                batch.loaded[message.recipient], guards = new
                descendants = size[message.event.root]
                size[message.event.root] += 1
            decision = partial(_react, message, _cause(self.desk, message), take, descendants)
            if not batch.decide(message.recipient, decision, message.key, guards):
                idle.append(message)
        return batch, idle, []

    def _new(self, batch: Batch, id: UUID, call: ChildStarted, *, fresh: bool) -> tuple[Execution, Guards] | None:
        """Return an execution that has not begun, and the processes that its calls rest on.

        None when this worker cannot read its process; a worker of a newer release may, or else the child is set aside.
        """
        plans = self.desk.plans
        try:
            plan = plans.get(call.process_id, call.version, call.body)
            if fresh:
                plans.forget(callee for callee, _ in plans.callees(plan)[1])
            callees, guards = plans.callees(plan)
        except Outage:
            raise
        except UnknownEvent as error:
            self.desk.states.left_alone.add(call.process_id, "process", error)
            return None
        except Exception as error:  # noqa: BLE001 - logged when the child is set aside
            batch.failures[id] = error
            return None
        return Execution(id, plan, callees=callees), guards

    def _after_notifying(self, message: Message, accepted: bool) -> None:
        """Strike the message off if the agent took the notice, or it is too old; else a worker claims it again."""
        if accepted or self.desk.clock.now() - message.event.at > NOTIFY_FOR:
            self._notified.append(message.key)
            self.desk.nudge()

    def _leave_alone(self, source: UUID, _position: int, error: Exception) -> None:
        self.desk.states.left_alone.add(source, "execution", error)

    def _drop(self, keys: list[MessageKey]) -> None:
        if keys:
            self.desk.lists.drop_messages(keys)

    def _sizes(self, messages: list[Message]) -> Counter[UUID]:
        """Return the number of descendants of the roots of children that are to start."""
        calls = [(each, each.event) for each in messages if isinstance(each.event, ChildStarted)]
        # With its second event a root starts its first child; most roots start no more.
        roots = {event.root for message, event in calls if event.depth > 1 or message.version > 2}
        if not roots:
            return Counter()
        self.desk.settle()  # children on their way are not among those that the list counts
        return Counter(self.desk.lists.descendants(roots))


def follow_up(desk: Desk, batch: Batch) -> None:
    """Let parents whose children end in the batch go on, in the same append, as far as their states are kept.

    If a conflict splits the append, a parent whose child's end was not recorded meets a conflict too.
    """
    seen: set[MessageKey] = set()
    take = desk.take(batch)
    while not batch.full and (messages := [each for each in batch.sent() if each.key not in seen]):
        seen.update(message.key for message in messages)
        for message in messages:
            to = message.recipient
            if isinstance(message.event, ExecutionEnded) and not batch.full and to not in desk.appending.in_flight:
                parent = desk.states.kept(to)
                if parent is not None:
                    batch.loaded.setdefault(to, parent)
                    batch.decide(to, whenever(message, _cause(desk, message), take), message.key)


def _react(message: Message, cause: Cause, take: Take, descendants: int, execution: Execution) -> Unfolding:
    return whenever(message, cause, take, descendants)(execution)


def _cause(desk: Desk, message: Message) -> Cause:
    return desk.cause(f"message:{message.source}:{message.version}")
