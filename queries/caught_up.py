"""Queries of one command: read models hold what the log held when it began, unless nothing brings them there."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import msgspec

from queries.progress import LOG
from queries.reading import WAIT_SECONDS, Reading, fetch

_RUNNER = """
select p.failure is not null as failed, coalesce(t.notification_id, 0) as position, exists (
  select from pg_locks where locktype = 'advisory' and classid::bigint = %s and objid::bigint = %s and granted
    and database = (select oid from pg_database where datname = current_database())) as runs
from projections p left join notification_tracking t on t.application_name = p.name where p.name = %s"""


LackCause = Literal["unattended", "failed", "slow"]
"""Why a read model lacks the newest events: no projector runs it, its writes fail, or it is catching up."""


class Lacking(msgspec.Struct, frozen=True):
    """A read model that lacks events from before the command."""

    projection: str
    cause: LackCause


class CaughtUpReading(Reading):
    """The queries of `reading`, for one command: the first one reads the end of the log, and each waits for it.

    A read model that no projector runs, or whose writes fail, is not waited for; `lacking` names the first that a query
    read all the same. wait_seconds: the longest wait for all of them. waiting: entered during a wait.
    """

    def __init__(
        self,
        reading: Reading,
        *,
        wait_seconds: float = WAIT_SECONDS,
        waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        super().__init__(reading.datastore, reading.progress, wait_seconds=wait_seconds)
        self.lacking: Lacking | None = None
        self._waiting = waiting
        self._end_before: int | None = None
        self._deadline: float | None = None
        self._awaited: set[str] = set()

    def catch_up(self, *projections: str) -> None:
        """Wait for read models that no query has read yet."""
        for name in projections:
            if name in self._awaited:
                continue
            self._awaited.add(name)
            cause = self._missed(name)
            if cause is not None and self.lacking is None:
                self.lacking = Lacking(name, cause)

    def _missed(self, name: str) -> LackCause | None:
        """Wait for a read model; return why it lacks events, None if it lacks none."""
        if name == LOG and self.ahead is None:
            return None
        if self._end_before is None:
            # A replica may not hold the end of the log yet.
            self._end_before = self.progress.end_of_log() if self.ahead is None else self._end()
        end = self._end_before
        if self.progress.reached(name, end, 0):
            return None
        if name != LOG and (cause := self._standstill(name, end)) is not None:
            return cause
        if self._deadline is None:
            self._deadline = time.monotonic() + self._wait_seconds
        with self._waiting():
            reached = self.progress.reached(name, end, self._deadline - time.monotonic())
        return None if reached else "slow"

    def _standstill(self, name: str, end: int) -> LackCause | None:
        """Return why waiting for `end` is in vain."""
        from queries.projections import RUNNER_LOCK, lock_key  # most commands wait for nothing

        with self.progress.main.reading() as connection:
            rows = fetch(connection, _RUNNER, (RUNNER_LOCK, lock_key(name), name))
        if not rows or rows[0]["position"] >= end:
            return None  # only the replica is behind
        if rows[0]["failed"]:
            return "failed"
        return None if rows[0]["runs"] else "unattended"
