"""The duty of admitting queued executions to free slots, in the order of their line."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice, zip_longest
from typing import TypeVar
from uuid import UUID

import msgspec

from domain.executions.decisions.execution import admit_execution
from domain.executions.engine.unfolding import Take
from scheduler.batch import Decision
from scheduler.duty import DecidingDuty, Desk
from store.lists.queues import Admissible, Queue
from store.unit import Outage, SlotsTaken

T = TypeVar("T")

MOST = 200  # of one process
MOST_AT_ONCE = 1_000


class Admission(msgspec.Struct, frozen=True):
    """An execution that may begin. limit: of executions of its key at once; None for no limit."""

    execution_id: UUID
    limit: int | None


class AdmissionTerms(msgspec.Struct, frozen=True):
    """How a process admits executions at one revision of its stream; limit and paused as in Admissible."""

    revision: int
    limit: int | None
    paused: bool


class Admitting(DecidingDuty[Admission]):
    """Admits executions of processes that limit how many run, or that are no longer paused.

    Several workers may admit at once: an execution that another worker admitted meanwhile is a conflict, and so is one
    that would begin beyond the limit of its line.
    """

    word = "room"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._terms: dict[UUID, AdmissionTerms] = {}
        desk.states.epochs.subscribe(self.forget_all)

    def work(self) -> None:
        """Admit executions to free slots, and stay awake when there may be more."""
        self._awake = False
        lists = self.desk.lists
        waiting = [self._admissible(id, revision) for id, revision in lists.waiting_processes()]
        queues = lists.queues([each for each in waiting if each is not None], MOST)
        current = [queue for queue in queues if queue.revision == self._terms[queue.process_id].revision]
        # A line may hold an execution that was started after its process was paused, and the terms are from before.
        self._awake = len(current) < len(queues)
        admissions = in_turns([self._admissions(queue) for queue in current], MOST_AT_ONCE)
        if not admissions:
            return
        batch, refused, rest = self.decide(admissions)
        again = self.desk.appending.now(batch)
        # Decided afresh, an execution that another worker admitted meanwhile is idle.
        conflicts = {id for id, error in again.items() if not isinstance(error, SlotsTaken)}
        self.decide_afresh([each for each in admissions if each.execution_id in conflicts] + refused)
        if again or rest or len(batch.streams()) >= MOST:
            self._awake = True

    def forget_all(self) -> None:
        """Read the terms of processes again; callable from any thread."""
        self._terms = {}

    def execution_of(self, item: Admission) -> UUID:
        """Return the queued execution."""
        return item.execution_id

    def decision(self, item: Admission, at: datetime, take: Take) -> Decision:
        """Return the decision to admit the execution."""
        cause = self.desk.cause("room", at)
        return lambda execution: admit_execution(execution, cause, take, limit=item.limit)

    def _admissions(self, queue: Queue) -> list[Admission]:
        limit = self._terms[queue.process_id].limit
        return [Admission(id, limit) for id in queue.waiting]

    def _admissible(self, process_id: UUID, revision: int) -> Admissible | None:
        """Return on what terms a process admits; None when only other workers may be able to read it."""
        try:
            terms = self._terms_of(process_id, revision)
        except Outage:
            raise
        except Exception as error:  # noqa: BLE001 - logged there
            self.desk.states.left_alone.add(process_id, "process", error)
            return None
        return Admissible(process_id, terms.limit, terms.paused)

    def _terms_of(self, process_id: UUID, revision: int) -> AdmissionTerms:
        """Return the terms of the process's latest version at this revision, or a later one."""
        cached = self._terms.get(process_id)
        if cached is not None and cached.revision == revision:
            return cached
        plans = self.desk.plans
        process = plans.latest(process_id, fresh=True).process
        limit = plans.get(process_id, process.latest).max_running
        terms = self._terms[process_id] = AdmissionTerms(process.revision, limit, process.pause is not None)
        return terms


def in_turns(lines: Sequence[Sequence[T]], most: int) -> list[T]:
    """Return up to `most` of those who wait in `lines`: the first of each line, then the second of each, and so on."""
    return list(islice((each for rank in zip_longest(*lines) for each in rank if each is not None), most))
