"""The lists of work in memory; appends move them, and workers claim from them."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from simulated_batches import MemoryBatches
from simulated_limits import MemoryLimits
from simulated_slots import MemorySlots

from domain.agents.calls import Answer
from domain.clock import Clock
from domain.executions.events.execution import ExecutionStarted
from domain.executions.events.messages import recipient_of
from domain.executions.events.outcomes import ABANDONS_ATTEMPT, LEAVES_WORKER
from domain.executions.events.step import StepScheduled, StepStarted
from domain.executions.timers import HEARTBEAT
from scheduler.lists import Attempt, Lists, StepKey
from store.lists import due_timers, outbox
from store.lists.due_timers import Due
from store.lists.outbox import ClaimedMessages, Message, ReportUnreadable
from store.lists.turns import MAX_GROUPS, NO_PROCESS, UNKNOWN, StepGroup, StepTurn
from store.unit import MessageKey, StreamChange


class MemoryLists(MemoryLimits, MemorySlots, MemoryBatches, Lists):
    """All lists, for all workers at once. The methods that are not here do nothing: no simulation needs them.

    claimed: the end of a worker's claim of a timer or message. dropped: called with the messages that a worker drops.
    """

    def __init__(self, clock: Clock, dropped: Callable[[Sequence[MessageKey]], None] = lambda _keys: None) -> None:
        MemoryLimits.__init__(self, clock)
        MemorySlots.__init__(self)
        MemoryBatches.__init__(self, clock)
        self._dropped = dropped
        self.due_timers: dict[Due, datetime] = {}
        self.outbox: dict[MessageKey, Message] = {}
        self.claimed: dict[Due | MessageKey, datetime] = {}
        self.trees: Counter[UUID] = Counter()
        self._leases: dict[UUID, datetime] = {}

    def has(self, messages: Collection[MessageKey]) -> bool:
        """Return whether all of these messages wait."""
        return all(key in self.outbox for key in messages)

    def move(self, unit: StreamChange) -> list[str]:
        """Move the lists as an append of a change does; return the words that wake duties."""
        self.versions[unit.stream] = unit.version + len(unit.events)
        moved = (self._move_steps, self._move_timers, self._move_messages, self.move_slots, self.move_batches)
        return [word for move in moved for word in move(unit)]

    def _move_steps(self, unit: StreamChange) -> list[str]:
        words, scheduled = set(), set()
        for event in unit.events:
            if isinstance(event, StepScheduled):
                scheduled.add(event.step)
                self.due_steps.pop((unit.stream, event.step), None)
                self.due_steps[unit.stream, event.step] = event.attempt, None
                self.groups[unit.stream, event.step] = event.agent, unit.process_id or NO_PROCESS
            elif isinstance(event, StepStarted) and event.step in scheduled:
                self.due_steps[unit.stream, event.step] = event.attempt, unit.owner
            elif type(event) in LEAVES_WORKER:
                self.due_steps.pop((unit.stream, event.step), None)  # type: ignore[attr-defined]
                self.limited.discard((unit.stream, event.step))  # type: ignore[attr-defined]
                if unit.owner is None and type(event) in ABANDONS_ATTEMPT:
                    words.add("gone")
        if any(self.due_steps.get((unit.stream, step), (0, unit))[1] is None for step in scheduled):
            words.add("due")
        return sorted(words)

    def _move_timers(self, unit: StreamChange) -> list[str]:
        for step, kind in unit.timers_dropped:
            del self.due_timers[unit.stream, step, kind]
        for (step, kind), due_at in unit.timers_set.items():
            self.due_timers[unit.stream, step, kind] = due_at
            self.claimed.pop((unit.stream, step, kind), None)
        return [f"timer:{min(unit.timers_set.values()).timestamp()}"] if unit.timers_set else []

    def _move_messages(self, unit: StreamChange) -> list[str]:
        self._strike(unit.handled)
        sent = [
            Message(unit.stream, version, recipient, event)
            for version, event in enumerate(unit.events, unit.version + 1)
            if (recipient := recipient_of(event)) is not None
        ]
        before = list(self.outbox.values())
        for message in sent:
            self.outbox[message.key] = message
            if unit.owner is not None and not any(_behind(message, each) for each in before):
                self.claimed[message.key] = self._clock.now() + outbox.CLAIMED_FOR
        for event in unit.events:
            if isinstance(event, ExecutionStarted) and event.parent is not None:
                self.trees[event.parent.root] += 1
        return ["message"] if sent or unit.handled else []

    def claim_in_turns(self, worker: UUID, limit: int, rooms: Mapping[str, int], after: StepGroup) -> list[StepTurn]:
        waiting: dict[StepGroup, list[Attempt]] = {}
        for key, (attempt, owner) in self.due_steps.items():
            if owner is None:
                waiting.setdefault(self.groups[key], []).append((*key, attempt))
        room = {group: limit if group == UNKNOWN else rooms.get(group[0], limit) for group in waiting}
        walked: list[StepGroup] = []
        for before, lap in (
            (after, sorted(group for group in waiting if group > after)),
            (UNKNOWN, sorted(group for group in waiting if group <= after)),
        ):
            for group in lap:
                full = before != UNKNOWN and rooms.get(before[0], 1) <= 0
                if not (full and before[0] == group[0]) and len(walked) < MAX_GROUPS:
                    walked.append(group)
                    before = group
        served = [group for group in walked if room[group] > 0]
        turns = []
        for group in walked:
            quota = 0
            if group in served:
                quota = _share(limit, served, group)
                if group == UNKNOWN or group[0] in rooms:
                    quota = min(quota, _share(room[group], [each for each in served if each[0] == group[0]], group))
            turns.append(StepTurn(group, quota, waiting[group][:quota]))
            for id, step, number in turns[-1].claimed:
                self.due_steps[id, step] = number, worker
        return turns

    def regroup_steps(self, worker: UUID, steps: list[tuple[UUID, str, StepGroup]]) -> None:
        for id, step, group in steps:
            if self.due_steps.get((id, step), (0, None))[1] == worker:
                self.groups[id, step] = group
        self.unclaim_steps(worker, [(id, step) for id, step, _ in steps])

    def drop_steps(self, worker: UUID, steps: list[StepKey]) -> None:
        for key in steps:
            if self.due_steps.get(key, (0, None))[1] == worker:
                del self.due_steps[key]

    def unclaim_steps(self, worker: UUID, steps: list[StepKey]) -> None:
        for key in steps:
            attempt, owner = self.due_steps.get(key, (0, None))
            if owner == worker:
                self.due_steps[key] = attempt, None

    postpone_steps = unclaim_steps

    def held_steps(self, worker: UUID) -> set[Attempt]:
        return {(*key, attempt) for key, (attempt, owner) in self.due_steps.items() if owner == worker}

    def keep_answers(self, worker: UUID, answers: Sequence[tuple[Attempt, Answer]]) -> list[Exception]:
        raise AssertionError(f"answers would be kept: {answers}")

    def kept_answers(self, worker: UUID, attempts: Collection[Attempt]) -> list[tuple[Attempt, Answer]]:
        return []

    def claim_timers(self, now: datetime, until: datetime, limit: int) -> list[tuple[datetime, Due]]:
        due = sorted(
            (due_at, key)
            for key, due_at in self.due_timers.items()
            if due_at <= (now if key[2] == HEARTBEAT else until) and not self._is_claimed(key)
        )[:limit]
        for due_at, key in due:
            self.claimed[key] = max(self._clock.now(), due_at) + due_timers.CLAIMED_FOR
        return due

    def next_timer(self) -> datetime | None:
        return min((at for key, at in self.due_timers.items() if not self._is_claimed(key)), default=None)

    def release_timers(self, timers: list[Due]) -> None:
        for key in timers:
            self.claimed.pop(key, None)

    def drop_timers(self, now: datetime, timers: list[Due]) -> None:
        for key in timers:
            if key in self.due_timers and self.due_timers[key] <= now:
                del self.due_timers[key]

    def claim_messages(self, limit: int, unreadable: ReportUnreadable = outbox.log_unreadable) -> ClaimedMessages:
        free = [each for each in self.outbox.values() if not self._is_claimed(each.key)][:limit]
        others = [each for each in self.outbox.values() if each not in free]
        claimed = ClaimedMessages(each for each in free if not any(_behind(each, other) for other in others))
        claimed.more = len(claimed) == limit
        for each in claimed:
            self.claimed[each.key] = self._clock.now() + outbox.CLAIMED_FOR
        return claimed

    def release_messages(self, keys: Sequence[MessageKey]) -> None:
        for key in keys:
            self.claimed.pop(key, None)

    def drop_messages(self, keys: Sequence[MessageKey]) -> None:
        self._strike(keys)
        self._dropped(keys)

    def set_aside(self, execution: UUID, error: str, worker: UUID, open_steps: Collection[str]) -> datetime:
        raise AssertionError(f"execution {execution} would be set aside: {error}")

    def still_aside(
        self, executions: Collection[UUID], worker: UUID, open_steps: Collection[str]
    ) -> dict[UUID, datetime]:
        return {}

    def overdue_aside(self, since: timedelta, limit: int) -> list[UUID]:
        return []

    def postpone_messages(self, keys: Collection[MessageKey], until: datetime) -> None:
        for key in keys:
            self.claimed[key] = until

    def listed_messages(self, keys: Collection[MessageKey]) -> set[MessageKey]:
        return {key for key in keys if key in self.outbox}

    def next_schedule(self) -> tuple[datetime, None]:
        """Return that none is due."""
        return self._clock.now(), None

    def descendants(self, roots: Iterable[UUID]) -> dict[UUID, int]:
        return {root: self.trees[root] for root in roots}

    def renew(self, worker: UUID, host: str, pid: int, lease: timedelta) -> None:
        self._leases[worker] = self._clock.now() + lease

    def release_lost(self) -> None:
        now = self._clock.now()
        for key, (attempt, owner) in list(self.due_steps.items()):
            if owner is not None and self._leases.get(owner, now) <= now:
                self.due_steps[key] = attempt, None

    def release_worker(self, worker: UUID) -> None:
        self._leases.pop(worker, None)
        self.unclaim_steps(worker, [key for key, (_, owner) in self.due_steps.items() if owner == worker])

    def _strike(self, keys: Iterable[MessageKey]) -> None:
        for key in keys:
            self.outbox.pop(key, None)
            self.claimed.pop(key, None)

    def _is_claimed(self, key: Due | MessageKey) -> bool:
        return key in self.claimed and self.claimed[key] >= self._clock.now()


def _share(most: int, groups: Sequence[StepGroup], group: StepGroup) -> int:
    """Return the part of `most` that one of the groups gets, in their order."""
    return most // len(groups) + (groups.index(group) < most % len(groups))


def _behind(message: Message, other: Message) -> bool:
    """Return whether `other` is an older message from the same source to the same recipient."""
    return (message.source, message.recipient) == (other.source, other.recipient) and other.version < message.version
