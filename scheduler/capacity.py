"""The calls that one worker may have open, and the share that each agent may have of them."""

from collections.abc import Callable, Sequence

from domain.agents.limits import AgentLimits

SHARE = 4
"""An agent gets a further call while it has at most so many times as many calls as the worker can still open."""

NO_LIMITS = AgentLimits()

KEPT_PART = 10
MOST_KEPT = 50
"""A worker keeps one in ten of its calls, at most so many, for agents that have none open: each may open one."""


def kept_of(max_open: int) -> int:
    """Return how many of a worker's calls are for agents that have none open."""
    return min(max_open // KEPT_PART, MOST_KEPT)


def room(limit: int, held: int, free: int, kept: int, *, alone: bool) -> int:
    """Return how many more calls an agent may get that has `held`, at most `limit`, of a worker with `free` to open.

    kept: calls for agents that have none open, one for each. alone: no other agent has any.
    """
    shared = free - kept
    share = min(shared, (SHARE * (free if alone else shared) - held) // (SHARE + 1) + 1)
    return max(0, min(limit - held, max(share, 0 if held else min(free, 1))))


class Tally:
    """A number of calls of each agent, 0 included, and their total."""

    __slots__ = ("of", "total")

    def __init__(self) -> None:
        self.of: dict[str, int] = {}
        self.total = 0

    def add(self, agent: str, calls: int = 1) -> None:
        """Count `calls` more of `agent`, or fewer if the number is negative."""
        self.total += calls
        self.of[agent] = self.of.get(agent, 0) + calls

    def add_all(self, other: "Tally") -> None:
        """Count those of `other` as well."""
        for agent, calls in other.of.items():
            self.add(agent, calls)

    def remove_all(self, other: "Tally") -> None:
        """Count those of `other` no longer."""
        for agent, calls in other.of.items():
            self.add(agent, -calls)


NOTHING = Tally()


class Capacity:
    """The number of calls that a worker may have open, and the number that it has.

    kept: the number of them for agents that have none open.
    open: the calls that are open, by agent; notifications are those of the agent ``""``. waiting: agents with due
    attempts that the worker claims only when a call of the agent ends. ended: a call of such an agent has ended.
    limited: the limits of agents for the whole installation. closed_agents: those that admit no call now, by limits or
    by a pause. The attempts of both are claimed from the list only.
    """

    def __init__(self, max_open: int) -> None:
        self.max_open = max_open
        self.kept = kept_of(max_open)
        self.open = Tally()
        self.waiting: set[str] = set()
        self.ended = False
        self.closed = False
        self.limited: dict[str, AgentLimits] = {}
        self.closed_agents: set[str] = set()
        self._limits = {"": max_open}

    @property
    def free(self) -> int:
        """How many more calls the worker may open."""
        return self.left(NOTHING)

    def left(self, taking: Tally) -> int:
        """Return how many more calls the worker may open beside those in `taking`, of batches on their way."""
        return 0 if self.closed else max(0, self.max_open - self.open.total - taking.total)

    def limit(self, agent: str, limits: AgentLimits | None) -> None:
        """Note the limits of `agent`; None: the worker may have as many calls of it open as its share allows."""
        most = None if limits is None else limits.max_open
        self._limits[agent] = self.max_open if most is None else min(most, self.max_open)
        if limits is not None:
            self.limited[agent] = limits
        elif self.limited:
            self.limited.pop(agent, None)

    def listed_only(self) -> dict[str, AgentLimits]:
        """Return the agents whose attempts are claimed from the list only, with their limits."""
        return {**dict.fromkeys(self.closed_agents, NO_LIMITS), **self.limited}

    def limit_of(self, agent: str) -> int | None:
        """Return how many calls of `agent` may be open; None while the worker has not read the agent's entry."""
        return self._limits.get(agent)

    def over(self, agent: str, calls: int = 1) -> None:
        """Count calls no longer."""
        self.open.add(agent, -calls)
        if agent in self.waiting:
            self.ended = True

    def agents(self) -> set[str]:
        """Return the agents that have calls open, or wait for room."""
        return self.waiting.union(agent for agent, calls in self.open.of.items() if calls)

    def rooms(self, taking: Tally = NOTHING) -> dict[str, int]:
        """Return how many more calls each agent may get: of agents that have some, or a limit of their own.

        taking: the calls of batches on their way.
        """
        free, limits, held, more = self.left(taking), self._limits, self.open.of, taking.of
        bound = {agent for agent, limit in limits.items() if limit < self.max_open}.union(self.agents(), more)
        return {
            agent: self.room(limits.get(agent, self.max_open), held.get(agent, 0) + more.get(agent, 0), free)
            for agent in bound
        }

    def share(self, taking: Tally = NOTHING) -> int:
        """Return how many calls an agent may get that has none and no limit of its own."""
        return self.room(self.max_open, 0, self.left(taking))

    def room(self, limit: int, held: int, free: int) -> int:
        """Return how many more calls an agent may get that has `held`, at most `limit`, while `free` may be opened."""
        return room(limit, held, free, self.kept, alone=held >= self.max_open - free)


class Shares:
    """Implements `Allowance` for the decisions of one batch: the capacity of a worker without what it takes already.

    taking: the attempts of batches that are under way, this one included; no other changes while it is decided.
    """

    __slots__ = ("_agent", "_capacity", "_left", "_taking")

    def __init__(self, capacity: Capacity, taking: Sequence[Tally]) -> None:
        self._capacity = capacity
        self._taking = taking
        self._agent: str | None = None
        self._left = 0

    def grant(self, agent: str, taken: Callable[[], Sequence[str]]) -> bool:
        """Grant one more attempt of `agent` if the worker may claim it.

        Never one of an agent whose entry it has not read, that has limits for the whole installation, or that
        admits no call now: it then claims the attempt from the list.
        """
        # An attempt granted leaves the agent's room one smaller, and those of other agents too: only that is kept.
        if agent != self._agent:
            self._agent, self._left = agent, self._room(agent, taken())
        if self._left <= 0:
            return False
        self._left -= 1
        return True

    def _room(self, agent: str, taken: Sequence[str]) -> int:
        capacity = self._capacity
        limit = capacity.limit_of(agent)
        if limit is None or agent in capacity.limited or agent in capacity.closed_agents:
            return 0
        held = capacity.open.of.get(agent, 0) + taken.count(agent)
        free = capacity.free - len(taken)
        for tally in self._taking:
            held += tally.of.get(agent, 0)
            free -= tally.total
        return capacity.room(limit, held, free)
