"""Rounds of reading what is new in all inboxes: one query wakes every caller that waits, and only those concerned."""

import asyncio
from functools import partial

import anyio

from queries.inbox.concerned import list_concerned
from queries.reading import Reading

# A round begins this long after the one before at the earliest, however many events come in and callers wait.
BREATH_SECONDS = 0.2
MOST_AGENTS = 50_000


class InboxRounds:
    """Belongs to one event loop.

    A caller keeps the number of the newest round before it reads its inbox, and reads again after a later one that
    concerns it. Where more is new than a round reads, it concerns all.
    """

    def __init__(self) -> None:
        self.number = 0
        self._of_all = 0
        self._of_agents: dict[str, int] = {}
        self._position, self._as_of = 0, -1
        self._anew = False
        self._ended_at = float("-inf")
        self._next: asyncio.Task[None] | None = None
        self._one = asyncio.Lock()

    def forget_all(self) -> None:
        """Concern every caller at the next round; callable from any thread."""
        self._anew = True

    async def read(self, reading: Reading) -> int:
        """Return the number of the next round, after it; callers share it. Raises Outage or Refusal."""
        if self._next is None:
            self._next = asyncio.create_task(self._round(reading))
            self._next.add_done_callback(_noted)
        await asyncio.shield(self._next)
        return self.number

    def concerns(self, agent: str, since: int) -> bool:
        """Return whether the inbox of an agent may have new entries since a round."""
        return max(self._of_all, self._of_agents.get(agent, 0)) > since

    async def _round(self, reading: Reading) -> None:
        clock = asyncio.get_running_loop().time
        async with self._one:
            try:
                await asyncio.sleep(max(0.0, self._ended_at + BREATH_SECONDS - clock()))
            finally:
                self._next = None  # a caller that comes from here on needs a later round
            if self._anew:
                self._anew = False
                self._position, self._as_of = 0, -1
                self._of_all = self.number + 1
            found = await anyio.to_thread.run_sync(partial(list_concerned, reading, self._position))
            self._ended_at = clock()
        if found.as_of_position == self._as_of:
            return
        self.number += 1
        behind = found.until < found.as_of_position - 1
        if behind or len(self._of_agents) > MOST_AGENTS:
            self._of_agents.clear()
            self._of_all = self.number
        self._of_agents.update(dict.fromkeys(found.agents, self.number))
        self._position = max(found.until, found.as_of_position - 1) if behind else found.until
        self._as_of = found.as_of_position


def _noted(task: "asyncio.Task[None]") -> None:
    """Take note of an error that no caller waited for."""
    if not task.cancelled():
        task.exception()
