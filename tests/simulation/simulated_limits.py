"""The limits of agents in memory, for all workers at once; each claim is checked against what a provider admits."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from domain.agents.limits import (
    AgentLimits,
    CallsClaimed,
    LimitUse,
    allowed_from,
    begin_calls,
    calls_allowed,
    correct_tokens,
    send_calls,
)
from domain.clock import Clock
from scheduler.lists import StepKey
from store.lists.agent_limits import CallReports, LimitedTurns
from store.lists.turns import StepGroup, StepTurn


class MemoryLimits(ABC):
    """What agents have used of their limits.

    begun: the instants at which calls were claimed, by agent. waited: how often a claim left an agent for a time.
    due_steps: attempt and owner, oldest first. groups: agent and process of each attempt. limited: the attempts
    that were claimed under limits.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._use: defaultdict[str, LimitUse] = defaultdict(LimitUse)
        self._paused: dict[str, datetime] = {}
        self.begun: defaultdict[str, list[datetime]] = defaultdict(list)
        self.waited = 0
        self.due_steps: dict[StepKey, tuple[int, UUID | None]] = {}
        self.groups: dict[StepKey, StepGroup] = {}
        self.limited: set[StepKey] = set()

    @abstractmethod
    def claim_in_turns(self, worker: UUID, limit: int, rooms: Mapping[str, int], after: StepGroup) -> list[StepTurn]:
        """Claim due attempts in turns, of each agent no more than its room."""

    def claim_steps(
        self, worker: UUID, limit: int, rooms: Mapping[str, int], after: StepGroup, limited: Mapping[str, AgentLimits]
    ) -> LimitedTurns:
        waiting = {self.groups[key][0] for key, (_, owner) in self.due_steps.items() if owner is None}
        allowed = {agent: self.allowed(agent, limits, self._open(agent)) for agent, limits in limited.items()}
        bounded = dict(rooms)
        for agent, most in allowed.items():
            bounded[agent] = min(rooms.get(agent, limit), most) if agent in waiting else 0
        made = LimitedTurns(self.claim_in_turns(worker, limit, bounded, after), bounded)
        made.admitted = {agent for agent in limited if bounded[agent] > 0}
        for turn in made.turns:
            self.limited.difference_update((id, step) for id, step, _ in turn.claimed)
        for agent in sorted(limited.keys() & waiting):
            mine = [(id, step) for turn in made.turns if turn.group[0] == agent for id, step, _ in turn.claimed]
            self.limited.update(mine)
            counted, wait = self.begin(agent, limited[agent], len(mine), self._open(agent))
            if mine:
                made.counted[agent] = counted
            if wait is not None:
                made.waits[agent] = wait
        return made

    def _open(self, agent: str) -> int:
        """Return how many calls of the agent are open, of all workers."""
        open = (key for key in self.limited if self.due_steps.get(key, (0, None))[1] is not None)
        return sum(self.groups[key][0] == agent for key in open)

    def allowed(self, agent: str, limits: AgentLimits, open: int) -> int:
        """Return how many more calls of the agent may begin, while `open` are open."""
        now = self._clock.now()
        paused = self._paused.get(agent, now) > now
        return 0 if paused else calls_allowed(limits, self._use[agent], open, now)

    def begin(self, agent: str, limits: AgentLimits, calls: int, open: int) -> tuple[CallsClaimed, timedelta | None]:
        """Begin so many calls, of `open` now; return what counts for each, and how long the next one waits."""
        now, use = self._clock.now(), self._use[agent]
        begun = self.begun[agent]
        begun += [now] * calls
        assert not calls or self._paused.get(agent, now) <= now, f"{agent} is called although it is paused"
        assert limits.calls is None or len([at for at in begun if at > now - limits.per]) <= limits.calls
        assert not calls or limits.max_open is None or open <= limits.max_open
        self._use[agent], counted = begin_calls(limits, use, calls, now)
        free_at = allowed_from(limits, self._use[agent], now)
        times = [at for at in (free_at, self._paused.get(agent)) if at is not None and at > now]
        self.waited += bool(times)
        return counted, max(times) - now if times else None

    def correct_limits(self, reports: Mapping[str, CallReports], limits: Mapping[str, AgentLimits]) -> None:
        for agent, report in reports.items():
            use = send_calls(limits[agent], self._use[agent], report.sent, self._clock.now())
            self._use[agent] = correct_tokens(use, report.spent, self._clock.now())

    def pause_agents(self, pauses: Mapping[str, timedelta]) -> None:
        now = self._clock.now()
        for agent, pause in pauses.items():
            self._paused[agent] = max(self._paused.get(agent, now), now + pause)

    def closed_agents(self) -> set[str]:
        return {agent for agent, until in self._paused.items() if until > self._clock.now()}
