"""What executions ask of others is done: children start, parents go on, children are called off, agents are told."""

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from commands.deciding import Guards
from commands.plans import Plans
from commands.policies import whenever
from commands.states import ExecutionStates
from domain.event import Cause
from domain.executions.events.child import SubProcessStarted
from domain.executions.events.execution import ExecutionEnded
from domain.executions.outcomes import ABANDONS_ATTEMPT
from domain.executions.state.model import Execution
from scheduler.appending import Appending
from scheduler.batch import Batch
from store.datastore import OwnConnection
from store.lists import outbox, trees
from store.lists.outbox import Message
from store.unit import MessageKey, Outage

logger = logging.getLogger(__name__)

MAX_CLAIM = 500
BATCH = 250
# What meets a conflict so often is left alone. Somebody takes it in hand again later, if it still is on the list: if it
# is not, because somebody else struck it off, every append that answers it is a conflict.
TRIES = 10
# Agents that cannot be reached for so long are not told.
TELL_FOR = timedelta(minutes=1)

Tell = Callable[[Message, Callable[[bool], None]], None]


class Reactor:
    """Handles messages for one worker, on the worker's thread. Each is handled in the append of what follows from it.

    room: how many attempts the worker may take at once now. tell: has an agent told, and calls back, from any thread,
    with whether it knows. woken: called, from any thread, when there is something in hand.
    """

    def __init__(
        self,
        worker_id: UUID,
        states: ExecutionStates,
        plans: Plans,
        appending: Appending,
        connection: OwnConnection,
        room: Callable[[], int],
        tell: Tell,
        woken: Callable[[], None],
    ) -> None:
        self._worker_id = worker_id
        self._actor = f"worker:{worker_id}"
        self._states = states
        self._plans = plans
        self._appending = appending
        self._connection = connection
        self._room = room
        self._tell = tell
        self._woken = woken
        self._held: deque[Message] = deque()
        self._told: deque[MessageKey] = deque()

    def add(self, messages: Iterable[Message]) -> None:
        """Messages that this worker has in hand since it recorded what asks for them."""
        self._held.extend(messages)

    @property
    def holding(self) -> bool:
        """Whether there is something in hand."""
        return bool(self._held or self._told)

    def claim(self) -> bool:
        """Take in hand what nobody has; True when there may be more."""
        with self._connection.borrow() as connection:
            claimed = outbox.claim(connection, MAX_CLAIM, self._leave_alone)
        self._held.extend(claimed)
        return len(claimed) == MAX_CLAIM

    def react(self) -> None:
        """Handle what is in hand; no batch may be on its way."""
        self._drop([self._told.popleft() for _ in range(len(self._told))])
        taken = [self._held.popleft() for _ in range(min(BATCH, len(self._held)))]
        for message in taken:
            if type(message.event) in ABANDONS_ATTEMPT:
                self._tell(message, partial(self._after_telling, message))
        messages = [message for message in taken if type(message.event) not in ABANDONS_ATTEMPT]
        try:
            for tried in range(TRIES):
                if not messages:
                    break
                messages = self._handle(messages, fresh=tried > 0)
        except BaseException:
            self._held.extendleft(reversed(messages))
            raise

    def follow_up(self, batch: Batch) -> None:
        """Let those go on, in the same append, that wait for an end that the batch brings, as far as they are at hand.

        Should the append be split by a conflict, a parent whose child's end was not recorded has one too.
        """
        seen: set[MessageKey] = set()
        while messages := [each for each in batch.asked() if each.key not in seen]:
            seen.update(message.key for message in messages)
            for message in messages:
                to = message.recipient
                if isinstance(message.event, ExecutionEnded) and to not in self._appending.in_flight:
                    parent = self._states.kept(to)
                    if parent is not None:
                        batch.loaded.setdefault(to, parent)
                        batch.decide(to, whenever(message, self._cause(message), self._take(batch)), message.key)

    def release(self) -> None:
        """Let others handle what is in hand."""
        if self._held:
            with self._connection.borrow() as connection:
                outbox.release(connection, [message.key for message in self._held])
            self._held.clear()

    def _handle(self, messages: list[Message], *, fresh: bool) -> list[Message]:
        """Decide and append; the messages that are to be handled again, on states read from the log."""
        batch, idle = self._decide(messages, fresh=fresh)
        again = self._appending.now(batch)
        if fresh:
            # One that means nothing even then was handled before, or asks for what has happened already; unless what
            # made it mean nothing was decided just before it, and has not been recorded.
            certain = batch.loaded.keys() - batch.broken - again
            self._drop([message.key for message in idle if message.recipient in certain])
            idle = []
        return [each for each in messages if each.recipient in again or each in idle]

    def _decide(self, messages: list[Message], *, fresh: bool) -> tuple[Batch, list[Message]]:
        begin = {} if fresh else {m.recipient: m.source for m in messages if isinstance(m.event, SubProcessStarted)}
        # The parent of a child that begins is at hand, then, when the child ends.
        loaded = self._states.load((begin.get(each.recipient, each.recipient) for each in messages), fresh=fresh)
        batch = Batch(loaded, self._worker_id)
        size = self._sizes(messages)
        idle: list[Message] = []
        for message in messages:
            guards: Guards = ()
            descendants = 0
            if isinstance(message.event, SubProcessStarted) and message.recipient not in loaded:
                alone = message.recipient in self._states.left_alone
                new = None if alone else self._new(message.recipient, message.event, fresh=fresh)
                if new is None:
                    idle.append(message)
                    continue
                loaded[message.recipient], guards = new
                descendants = size[message.event.root]
                size[message.event.root] += 1
            decision = whenever(message, self._cause(message), self._take(batch), descendants)
            if not batch.decide(message.recipient, decision, message.key, guards):
                idle.append(message)
        return batch, idle

    def _cause(self, message: Message) -> Cause:
        return Cause(datetime.now(UTC), self._actor, causation=f"message:{message.source}:{message.version}")

    def _take(self, batch: Batch) -> int:
        return self._room() - batch.taking - self._appending.taking

    def _new(self, id: UUID, asked: SubProcessStarted, *, fresh: bool) -> tuple[Execution, Guards] | None:
        """An execution that has not begun, and what it rests on that it calls what it calls.

        None when this worker cannot read its process: another one may, such as one of a newer release.
        """
        try:
            plan = self._plans.get(asked.process_id, asked.version)
            if fresh:
                self._plans.forget(callee for callee, _ in self._plans.callees(plan)[1])
            callees, guards = self._plans.callees(plan)
        except Outage:
            raise
        except Exception as error:  # noqa: BLE001 - logged there
            self._states.left_alone.add(asked.process_id, "process", error)
            return None
        return Execution(id, plan, callees=callees), guards

    def _after_telling(self, message: Message, knows: bool) -> None:
        """One that does not know stays on the list, and is told again when it has been in hand long enough."""
        if knows or datetime.now(UTC) - message.event.at > TELL_FOR:
            self._told.append(message.key)
            self._woken()

    def _leave_alone(self, source: UUID, _position: int, error: Exception) -> None:
        self._states.left_alone.add(source, "execution", error)

    def _drop(self, keys: list[MessageKey]) -> None:
        if keys:
            with self._connection.borrow() as connection:
                outbox.drop(connection, keys)

    def _sizes(self, messages: list[Message]) -> Counter[UUID]:
        """How many executions the roots of those that are to start have started so far."""
        asked = [(each, each.event) for each in messages if isinstance(each.event, SubProcessStarted)]
        # With its second event a root starts its first one; most roots ask for no more.
        roots = {event.root for message, event in asked if event.depth > 1 or message.version > 2}
        if not roots:
            return Counter()
        with self._connection.borrow() as connection:
            return Counter(trees.descendants(connection, roots))
