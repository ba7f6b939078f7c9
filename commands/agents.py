"""Register and retire agents, and read their configuration."""

import threading
from collections.abc import Iterable, Sequence
from typing import Annotated, Any
from uuid import UUID

from commands.command import AgentName, Beside, Command, CommandScope, Note
from commands.deciding import Identified, decide, unidentified
from commands.plans import Streams
from commands.receipt import Receipt
from domain.agents.agent import ABSENT, ACTIVE, Agent, fold
from domain.agents.decisions import register_agent, retire_agent
from domain.agents.limits import AgentLimits, limits_of
from domain.agents.policy import OutgoingPolicy
from domain.clock import Clock
from domain.event import Cause, Event
from domain.identity import agent_id
from domain.refusal import AgentNotFound, Forbidden
from store.epochs import LogEpochs
from store.log import Log
from store.unit import Outage

FRESH_FOR_SECONDS = 1.0


class RegisterAgent(Command, frozen=True):
    """Register an agent, or change its configuration. config: as `parse_agent` returns it, its `max_open` included."""

    scope = CommandScope.AGENTS_WRITE
    name: AgentName
    config: Annotated[dict[str, Any], Beside()]


class RetireAgent(Command, frozen=True):
    """Take an agent out of use. reason: why, for people."""

    scope = CommandScope.AGENTS_WRITE
    name: AgentName
    reason: Note = ""


class Agents:
    """The handlers of the commands above. policy: the operator's rules of what agents may refer to."""

    def __init__(self, log: Log, policy: OutgoingPolicy = OutgoingPolicy()) -> None:  # noqa: B008 - immutable
        self._log = log
        self._policy = policy

    def register(self, command: RegisterAgent, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Register an agent; the same registration again records nothing. Raises Malformed for what is not allowed."""
        self._policy.check_agent(command.name, command.config)
        return decide(
            self._log,
            agent_id(command.name),
            _agent,
            lambda agent: register_agent(agent, command.name, command.config, cause),
            facts=lambda _agent, _new: {"name": command.name},
            identified=identified,
        )

    def retire(self, command: RetireAgent, cause: Cause, identified: Identified = unidentified) -> Receipt:
        """Retire an agent. Raises NotFound."""
        return decide(
            self._log,
            agent_id(command.name),
            _agent,
            lambda agent: retire_agent(agent, command.name, command.reason, cause),
            facts=lambda _agent, _new: {"name": command.name},
            identified=identified,
        )

    def configuration(self, name: str) -> dict[str, Any]:
        """Return the configuration of an agent in use. Raises AgentNotFound, or Forbidden (retired_agent)."""
        agent = _agent(self._log.stream(agent_id(name)))
        if agent.status == ABSENT:
            raise AgentNotFound(f"there is no agent {name!r}", agent=name)
        if agent.status != ACTIVE:
            raise Forbidden(f"the agent {name!r} is retired", code="retired_agent")
        return agent.config

    def statuses(self, names: Iterable[str]) -> dict[str, str]:
        """Return ``active`` or ``retired`` for each of `names` that was ever registered, in one query."""
        by_id = {agent_id(name): name for name in names}
        found = self._log.streams(by_id)
        return {by_id[id]: _agent(events).status for id, events in found.items()}


class CachedAgents:
    """The configuration and the limits of each agent in use.

    One query reads all of them from the log, at most once a second.
    """

    def __init__(self, log: Streams, clock: Clock, epochs: LogEpochs | None = None) -> None:
        if epochs is not None:
            epochs.subscribe(self.forget_all)
        self._log = log
        self._clock = clock
        self._names: set[str] = set()
        self._configs: dict[str, dict[str, Any]] = {}
        self._unreadable: dict[str, Exception] = {}
        self._limits: dict[str, AgentLimits] = {}
        self._retired: frozenset[str] = frozenset()
        self._read_at = 0.0
        self._reading = threading.Lock()
        self._anew = False
        self._kept: dict[UUID, tuple[Agent, Event]] = {}
        """Each agent as last read, with its last event then."""

    def config(self, name: str) -> dict[str, Any] | None:
        """Return the configuration of the agent `name`; None if it is unknown or retired.

        Raises the error of an agent whose events cannot be read.
        """
        self._refresh(name)
        if name in self._unreadable:
            raise self._unreadable[name].with_traceback(None)
        return self._configs.get(name)

    def retired(self, name: str) -> bool:
        """Return whether the agent `name` was registered once, and is retired."""
        self._refresh(name)
        return name in self._retired

    def limits(self, name: str) -> AgentLimits | None:
        """Return the limits of the agent `name`; None if its entry states none."""
        self._refresh(name)
        return self._limits.get(name)

    def forget_all(self) -> None:
        """Read the log at the next use."""
        self._anew = True

    def _refresh(self, name: str) -> None:
        if self._anew or name not in self._names or self._clock.monotonic() - self._read_at > FRESH_FOR_SECONDS:
            self._read(name)

    def _read(self, name: str) -> None:
        with self._reading:
            if self._anew:
                self._anew, self._kept = False, {}
            names = self._names | {name}
            agents, self._unreadable = self._read_all(names)
            self._configs = {agent.name: agent.config for agent in agents if agent.status == ACTIVE}
            self._retired = frozenset(agent.name for agent in agents if agent.status != ACTIVE)
            stated = ((agent, limits_of(agent.config, agent.max_open)) for agent in agents if agent.status == ACTIVE)
            self._limits = {agent.name: limits for agent, limits in stated if limits is not None}
            self._names = names
            self._read_at = self._clock.monotonic()

    def _read_all(self, names: Iterable[str]) -> tuple[list[Agent], dict[str, Exception]]:
        """Return the agents, and the errors of those that cannot be read: one of them breaks no other."""
        ids = {name: agent_id(name) for name in names}
        try:
            return self._read_new(ids.values()), {}
        except Outage:
            raise
        except Exception:  # noqa: BLE001 - found again below, agent by agent
            self._kept = {}
            agents: list[Agent] = []
            unreadable: dict[str, Exception] = {}
        for name, id in ids.items():
            try:
                agents += [_agent(events) for events in self._log.streams([id]).values()]
            except Outage:
                raise
            except Exception as error:  # noqa: BLE001 - raised to the caller that requests this agent
                unreadable[name] = error
        return agents, unreadable

    def _read_new(self, ids: Iterable[UUID]) -> list[Agent]:
        """Return the agents, by their events since the last time, or by all where the log has others by now."""
        kept = self._kept
        found = self._log.streams_from({id: kept[id][0].version if id in kept else 1 for id in ids})
        lost = {id for id, (_, last) in kept.items() if found.get(id, [None])[0] != last}
        agents = {
            id: (fold(kept[id][0], events[1:]) if id in kept else _agent(events), events[-1])
            for id, events in found.items()
            if id not in lost
        }
        for id, events in (self._log.streams(lost) if lost else {}).items():
            agents[id] = _agent(events), events[-1]
        self._kept = agents
        return [agent for agent, _ in agents.values()]


def _agent(events: Sequence[Event]) -> Agent:
    return fold(Agent(), events)
