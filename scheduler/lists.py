"""The lists of work that appends keep, as workers use them: the port (`scheduler/stored_lists.py` implements it)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.agents.calls import Answer
from domain.agents.limits import AgentLimits
from store.lists.agent_limits import CallReports, LimitedTurns
from store.lists.due_schedules import ClaimedSchedules
from store.lists.due_timers import Due
from store.lists.outbox import ClaimedMessages, ReportUnreadable
from store.lists.queues import Admissible, Queue
from store.lists.running_batches import ClaimedBatch
from store.lists.turns import StepGroup
from store.unit import MessageKey

Attempt = tuple[UUID, str, int]
StepKey = tuple[UUID, str]


class Lists(Protocol):
    """The lists on one connection, for one thread. Each method raises Outage when the database is out of reach."""

    def claim_steps(
        self,
        worker: UUID,
        limit: int,
        rooms: Mapping[str, int],
        after: StepGroup,
        limited: Mapping[str, AgentLimits],
    ) -> LimitedTurns:
        """Give `worker` up to `limit` due attempts that no worker has, in turns of groups, from the one after `after`.

        rooms: the most attempts of each agent; of other agents up to `limit`. limited: the agents that have limits for
        the whole installation, or are paused; `ensure_limits` has named each before.
        """

    def ensure_limits(self, agents: Sequence[str]) -> None:
        """Prepare the list for claims of agents that have limits."""

    def correct_limits(self, reports: Mapping[str, CallReports], limits: Mapping[str, AgentLimits]) -> None:
        """Correct what calls have counted in the limits of their agents, by agent."""

    def pause_agents(self, pauses: Mapping[str, timedelta]) -> None:
        """Let no worker call these agents for so long."""

    def closed_agents(self) -> set[str]:
        """Return the agents that admit no call now, by their limits or by a pause."""

    def drop_steps(self, worker: UUID, steps: list[StepKey]) -> None:
        """Strike off attempts of `worker` that are not due by the log."""

    def unclaim_steps(self, worker: UUID, steps: list[StepKey]) -> None:
        """Put attempts of `worker` back on the list."""

    def regroup_steps(self, worker: UUID, steps: list[tuple[UUID, str, StepGroup]]) -> None:
        """Put attempts of `worker` back on the list, in these groups."""

    def postpone_steps(self, worker: UUID, steps: list[StepKey]) -> None:
        """Put attempts that `worker` cannot begin back on the list, due a little later."""

    def held_steps(self, worker: UUID) -> set[Attempt]:
        """Return the attempts that `worker` has."""

    def keep_answers(self, worker: UUID, answers: Sequence[tuple[Attempt, Answer]]) -> list[Exception]:
        """Keep answers with their attempts, and put these back on the list; return the errors of those not kept."""

    def kept_answers(self, worker: UUID, attempts: Collection[Attempt]) -> list[tuple[Attempt, Answer]]:
        """Return answers kept with attempts that `worker` has, as many as fit a page."""

    def claim_timers(self, now: datetime, until: datetime, limit: int) -> list[tuple[datetime, Due]]:
        """Claim up to `limit` timers that are due by `until`, heartbeats by `now`, earliest first."""

    def next_timer(self) -> datetime | None:
        """Return when the next timer that no worker has claimed is due."""

    def release_timers(self, timers: list[Due]) -> None:
        """Let other workers claim these timers."""

    def drop_timers(self, now: datetime, timers: list[Due]) -> None:
        """Strike off timers that were due at `now` and that do not run by the log."""

    def claim_schedules(self, limit: int) -> ClaimedSchedules | None:
        """Claim up to `limit` schedules that are due, in turns of processes; None when none is."""

    def next_schedule(self) -> tuple[datetime, datetime | None]:
        """Return the time of the database, and when the next schedule that no worker has claimed is due."""

    def release_schedules(self, schedules: list[UUID]) -> None:
        """Let other workers claim these schedules."""

    def postpone_schedule(self, schedule: UUID, wait: timedelta) -> None:
        """Let no worker claim this schedule for so long."""

    def claim_batch(self) -> ClaimedBatch | None:
        """Claim the batch that has waited longest; None when no worker has to go through one."""

    def release_batch(self, batch: UUID) -> None:
        """Let other workers claim this batch."""

    def postpone_batch(self, batch: UUID, wait: timedelta) -> None:
        """Let no worker claim this batch for so long."""

    def claim_messages(self, limit: int, unreadable: ReportUnreadable) -> ClaimedMessages:
        """Claim up to `limit` messages that no worker has, or a full page, in the order of the log.

        unreadable: called with source, position and error of a message that this release cannot read.
        """

    def release_messages(self, keys: Sequence[MessageKey]) -> None:
        """Let other workers claim these messages."""

    def drop_messages(self, keys: Sequence[MessageKey]) -> None:
        """Strike off messages after which nothing is left to do."""

    def set_aside(self, execution: UUID, error: str, worker: UUID, open_steps: Collection[str]) -> datetime | None:
        """Set an execution aside and postpone its rows; return when it is tried again, None if it has ended."""

    def still_aside(
        self, executions: Collection[UUID], worker: UUID, open_steps: Collection[str]
    ) -> dict[UUID, datetime]:
        """Return which executions wait for their next try, and until when; postpone their rows."""

    def take_back(self, executions: Collection[UUID]) -> None:
        """Take executions off the list of those set aside."""

    def overdue_aside(self, since: timedelta, limit: int) -> list[UUID]:
        """Return executions set aside whose next try has passed for `since`."""

    def postpone_messages(self, keys: Collection[MessageKey], until: datetime) -> None:
        """Let no worker claim these messages before `until`."""

    def listed_messages(self, keys: Collection[MessageKey]) -> set[MessageKey]:
        """Return which of these messages are still to be handled."""

    def descendants(self, roots: Iterable[UUID]) -> dict[UUID, int]:
        """Return the number of descendants of each root execution."""

    def waiting_processes(self) -> list[tuple[UUID, int]]:
        """Return each process for which executions wait, with the version of its stream."""

    def queues(self, admissible: Sequence[Admissible], limit: int) -> list[Queue]:
        """Return of each process up to `limit` executions that may begin, by their lines."""

    def release_lost(self) -> None:
        """Put the attempts of workers whose lease ran out back on the list."""

    def release_worker(self, worker: UUID) -> None:
        """Put the attempts of `worker` back on the list, and strike the worker off."""

    def forget_old_answers(self, since: datetime | None) -> datetime | None:
        """Drop some of the answers of commands that are older than seven days, the oldest first.

        since: what the call before returned. Returns None when none is left, or another worker drops them now.
        """

    def close(self) -> None:
        """Close the connection; a later use opens another."""
