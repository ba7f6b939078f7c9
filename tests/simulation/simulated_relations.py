"""What concerns several executions, in memory: messages between them, who waits to be let in, sizes of families."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from domain.event import Event
from domain.executions.events.execution import ExecutionStarted
from domain.executions.messages import recipient_of
from domain.executions.slots import Slot
from store.lists.outbox import IN_HAND, Message
from store.lists.slots import Queue
from store.unit import MessageKey


class Relations:
    """As the tables outbox, admissions and families, and as append_events moves them.

    outbox: messages, oldest first. in_hand: until when somebody has a message. admissions: (process, whether it runs),
    in the order in which executions came.
    """

    def __init__(self) -> None:
        self.outbox: dict[MessageKey, Message] = {}
        self.in_hand: dict[MessageKey, datetime] = {}
        self.admissions: dict[UUID, tuple[UUID, bool]] = {}
        self.families: Counter[UUID] = Counter()

    def allow(self, handled: Iterable[MessageKey]) -> bool:
        """Whether everything that is to be answered has been asked, and not been answered yet."""
        return all(key in self.outbox for key in handled)

    def move(
        self,
        stream: UUID,
        version: int,
        events: list[Event],
        owner: UUID | None,
        handled: Iterable[MessageKey],
        place: Slot | None,
    ) -> None:
        """What an append of `events` at `version` does to the lists."""
        self.drop(handled)
        for number, event in enumerate(events, version + 1):
            recipient = recipient_of(event)
            if recipient is not None:
                message = Message(stream, number, recipient, event)
                if owner is not None and not self._is_behind(message, before=version + 1):
                    self.in_hand[message.key] = event.at + IN_HAND
                self.outbox[message.key] = message
            if isinstance(event, ExecutionStarted) and event.parent is not None:
                self.families[event.parent.root] += 1
        if place is not None and place.state == "left":
            self.admissions.pop(stream, None)
        elif place is not None:
            self.admissions[stream] = place.process_id, place.state == "running"

    def claim(self, now: datetime, limit: int) -> list[Message]:
        """Take messages in hand that nobody has, oldest first; one source's to one recipient in order."""
        free = [each for each in self.outbox.values() if self.in_hand.get(each.key, now) <= now][:limit]
        taken = {each.key for each in free}
        claimed = [each for each in free if not self._is_behind(each, but=taken)]
        for each in claimed:
            self.in_hand[each.key] = now + IN_HAND
        return claimed

    def release(self, keys: Iterable[MessageKey]) -> None:
        """Nobody has these in hand any longer."""
        for key in keys:
            self.in_hand.pop(key, None)

    def drop(self, keys: Iterable[MessageKey]) -> None:
        """Strike off messages."""
        for key in keys:
            self.outbox.pop(key, None)
            self.in_hand.pop(key, None)

    def room(self, limit: int) -> list[Queue]:
        """Every process that has waiting executions, with up to `limit` of these."""
        waiting: dict[UUID, list[UUID]] = {}
        for execution, (process, running) in self.admissions.items():
            if not running:
                waiting.setdefault(process, []).append(execution)
        running_of = Counter(process for process, running in self.admissions.values() if running)
        return [Queue(process, running_of[process], line[:limit]) for process, line in sorted(waiting.items())]

    def descendants(self, roots: Iterable[UUID]) -> dict[UUID, int]:
        """How many executions each root has brought about."""
        return {root: self.families[root] for root in roots}

    def _is_behind(self, message: Message, *, before: int | None = None, but: Iterable[MessageKey] = ()) -> bool:
        """Whether an older one from its source to its recipient is there, of a version < `before`, other than `but`."""
        return any(
            each.source == message.source
            and each.recipient == message.recipient
            and each.version < (message.version if before is None else before)
            and each.key not in but
            for each in self.outbox.values()
        )
