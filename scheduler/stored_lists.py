"""The lists of work in PostgreSQL, as workers use them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain.agents.calls import Answer
from domain.agents.limits import AgentLimits
from scheduler.lists import Attempt, StepKey
from store.answers import forget_old_answers
from store.datastore import OwnConnection
from store.lists import (
    agent_answers,
    agent_limits,
    due_schedules,
    due_steps,
    due_timers,
    outbox,
    queues,
    running_batches,
    set_aside,
    trees,
)
from store.lists.agent_limits import CallReports, LimitedTurns
from store.lists.due_schedules import ClaimedSchedules
from store.lists.due_timers import Due
from store.lists.outbox import ClaimedMessages, ReportUnreadable
from store.lists.queues import Admissible, Queue
from store.lists.running_batches import ClaimedBatch
from store.lists.turns import StepGroup
from store.unit import MessageKey


class StoredLists:
    """Implements `Lists` on one connection to PostgreSQL."""

    def __init__(self, connection: OwnConnection) -> None:
        self._connection = connection

    def claim_steps(
        self,
        worker: UUID,
        limit: int,
        rooms: Mapping[str, int],
        after: StepGroup,
        limited: Mapping[str, AgentLimits],
    ) -> LimitedTurns:
        """Give `worker` due attempts in turns; see `store.lists.agent_limits.claim`."""
        with self._connection.borrow() as connection:
            return agent_limits.claim(connection, worker, limit, rooms, after, limited)

    def ensure_limits(self, agents: Sequence[str]) -> None:
        """Make sure that each of these agents has a row; see `store.lists.agent_limits.ensure`."""
        with self._connection.borrow() as connection:
            agent_limits.ensure(connection, agents)

    def correct_limits(self, reports: Mapping[str, CallReports], limits: Mapping[str, AgentLimits]) -> None:
        """Correct counts; see `store.lists.agent_limits.correct`."""
        with self._connection.borrow() as connection:
            agent_limits.correct(connection, reports, limits)

    def pause_agents(self, pauses: Mapping[str, timedelta]) -> None:
        """Pause agents; see `store.lists.agent_limits.pause`."""
        with self._connection.borrow() as connection:
            agent_limits.pause(connection, pauses)

    def closed_agents(self) -> set[str]:
        """Return the agents that admit no call now; see `store.lists.agent_limits.closed`."""
        with self._connection.borrow() as connection:
            return agent_limits.closed(connection)

    def drop_steps(self, worker: UUID, steps: list[StepKey]) -> None:
        """Strike attempts off; see `store.lists.due_steps.drop`."""
        with self._connection.borrow() as connection:
            due_steps.drop(connection, worker, steps)

    def unclaim_steps(self, worker: UUID, steps: list[StepKey]) -> None:
        """Put attempts back; see `store.lists.due_steps.unclaim`."""
        with self._connection.borrow() as connection:
            due_steps.unclaim(connection, worker, steps)

    def regroup_steps(self, worker: UUID, steps: list[tuple[UUID, str, StepGroup]]) -> None:
        """Put attempts back, in other groups; see `store.lists.due_steps.regroup`."""
        with self._connection.borrow() as connection:
            due_steps.regroup(connection, worker, steps)

    def postpone_steps(self, worker: UUID, steps: list[StepKey]) -> None:
        """Put attempts back, due later; see `store.lists.due_steps.postpone`."""
        with self._connection.borrow() as connection:
            due_steps.postpone(connection, worker, steps)

    def held_steps(self, worker: UUID) -> set[Attempt]:
        """Return the attempts that `worker` has."""
        with self._connection.borrow() as connection:
            return due_steps.held(connection, worker)

    def keep_answers(self, worker: UUID, answers: Sequence[tuple[Attempt, Answer]]) -> list[Exception]:
        """Keep answers; see `store.lists.agent_answers.keep`."""
        with self._connection.borrow() as connection:
            return agent_answers.keep(connection, worker, answers)

    def kept_answers(self, worker: UUID, attempts: Collection[Attempt]) -> list[tuple[Attempt, Answer]]:
        """Return kept answers; see `store.lists.agent_answers.kept`."""
        with self._connection.borrow() as connection:
            return agent_answers.kept(connection, worker, attempts)

    def claim_timers(self, now: datetime, until: datetime, limit: int) -> list[tuple[datetime, Due]]:
        """Claim timers; see `store.lists.due_timers.claim`."""
        with self._connection.borrow() as connection:
            return due_timers.claim(connection, now, until, limit)

    def next_timer(self) -> datetime | None:
        """Return when the next timer that no worker has claimed is due."""
        with self._connection.borrow() as connection:
            return due_timers.next_due(connection)

    def release_timers(self, timers: list[Due]) -> None:
        """Let other workers claim these timers."""
        with self._connection.borrow() as connection:
            due_timers.release(connection, timers)

    def drop_timers(self, now: datetime, timers: list[Due]) -> None:
        """Strike timers off; see `store.lists.due_timers.drop`."""
        with self._connection.borrow() as connection:
            due_timers.drop(connection, now, timers)

    def claim_schedules(self, limit: int) -> ClaimedSchedules | None:
        """Claim schedules; see `store.lists.due_schedules.claim`."""
        with self._connection.borrow() as connection:
            return due_schedules.claim(connection, limit)

    def next_schedule(self) -> tuple[datetime, datetime | None]:
        """Return the time, and when the next schedule is due; see `store.lists.due_schedules.next_due`."""
        with self._connection.borrow() as connection:
            return due_schedules.next_due(connection)

    def release_schedules(self, schedules: list[UUID]) -> None:
        """Let other workers claim these schedules."""
        with self._connection.borrow() as connection:
            due_schedules.release(connection, schedules)

    def postpone_schedule(self, schedule: UUID, wait: timedelta) -> None:
        """Let no worker claim this schedule for so long."""
        with self._connection.borrow() as connection:
            due_schedules.postpone(connection, schedule, wait)

    def claim_batch(self) -> ClaimedBatch | None:
        """Claim a batch; see `store.lists.running_batches.claim`."""
        with self._connection.borrow() as connection:
            return running_batches.claim(connection)

    def release_batch(self, batch: UUID) -> None:
        """Let other workers claim this batch."""
        with self._connection.borrow() as connection:
            running_batches.release(connection, batch)

    def postpone_batch(self, batch: UUID, wait: timedelta) -> None:
        """Let no worker claim this batch for so long."""
        with self._connection.borrow() as connection:
            running_batches.postpone(connection, batch, wait)

    def claim_messages(self, limit: int, unreadable: ReportUnreadable) -> ClaimedMessages:
        """Claim messages; see `store.lists.outbox.claim`."""
        with self._connection.borrow() as connection:
            return outbox.claim(connection, limit, unreadable)

    def release_messages(self, keys: Sequence[MessageKey]) -> None:
        """Let other workers claim these messages."""
        with self._connection.borrow() as connection:
            outbox.release(connection, keys)

    def drop_messages(self, keys: Sequence[MessageKey]) -> None:
        """Strike messages off; see `store.lists.outbox.drop`."""
        with self._connection.borrow() as connection:
            outbox.drop(connection, keys)

    def set_aside(self, execution: UUID, error: str, worker: UUID, open_steps: Collection[str]) -> datetime | None:
        """Set an execution aside; see `store.lists.set_aside`."""
        with self._connection.borrow() as connection:
            return set_aside.set_aside(connection, execution, error, worker, open_steps)

    def still_aside(
        self, executions: Collection[UUID], worker: UUID, open_steps: Collection[str]
    ) -> dict[UUID, datetime]:
        """Return which executions wait; see `store.lists.set_aside`."""
        with self._connection.borrow() as connection:
            return set_aside.still_aside(connection, executions, worker, open_steps)

    def take_back(self, executions: Collection[UUID]) -> None:
        """Take executions back; see `store.lists.set_aside`."""
        with self._connection.borrow() as connection:
            set_aside.take_back(connection, executions)

    def overdue_aside(self, since: timedelta, limit: int) -> list[UUID]:
        """Return executions whose next try has passed; see `store.lists.set_aside`."""
        with self._connection.borrow() as connection:
            return set_aside.overdue(connection, since, limit)

    def postpone_messages(self, keys: Collection[MessageKey], until: datetime) -> None:
        """Postpone messages; see `store.lists.set_aside`."""
        with self._connection.borrow() as connection:
            set_aside.postpone_messages(connection, keys, until)

    def listed_messages(self, keys: Collection[MessageKey]) -> set[MessageKey]:
        """Return which messages are on the list; see `store.lists.set_aside`."""
        with self._connection.borrow() as connection:
            return set_aside.listed_messages(connection, keys)

    def descendants(self, roots: Iterable[UUID]) -> dict[UUID, int]:
        """Return the number of descendants of each root execution."""
        with self._connection.borrow() as connection:
            return trees.descendants(connection, roots)

    def waiting_processes(self) -> list[tuple[UUID, int]]:
        """Return the processes with waiting executions; see `store.lists.queues.processes`."""
        with self._connection.borrow() as connection:
            return queues.processes(connection)

    def queues(self, admissible: Sequence[Admissible], limit: int) -> list[Queue]:
        """Return the executions that may begin; see `store.lists.queues.queues`."""
        with self._connection.borrow() as connection:
            return queues.queues(connection, admissible, limit)

    def release_lost(self) -> None:
        """Put the attempts of lost workers back on the list, some at a time; see `store.lists.due_steps`."""
        with self._connection.borrow() as connection:
            due_steps.forget_lost(connection)
            while due_steps.release_lost(connection) == due_steps.BATCH:
                pass

    def release_worker(self, worker: UUID) -> None:
        """Put the attempts of `worker` back on the list, some at a time, and strike the worker off."""
        with self._connection.borrow() as connection:
            while due_steps.release_all(connection, worker) == due_steps.BATCH:
                pass

    def forget_old_answers(self, since: datetime | None) -> datetime | None:
        """Drop some answers of commands; see `store.answers.forget_old_answers`."""
        with self._connection.borrow() as connection:
            return forget_old_answers(connection, since)

    def close(self) -> None:
        """Close the connection; a later use opens another."""
        self._connection.close()
