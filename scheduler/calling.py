"""The agent calls, and notifications under way, that one worker has open."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol
from uuid import UUID

from commands.agents import CachedAgents
from domain.agents.calls import AbandonedAttempt, AgentCall, Answer, Failed, StepError, callback_token
from domain.event import Event
from domain.executions.events.step import StepCancelled, StepHeartbeatMissed, StepTimedOut
from domain.executions.state.call import call_of
from domain.executions.state.model import Execution
from domain.processes.plan import PlannedNotification
from scheduler.capacity import Capacity
from scheduler.lists import Attempt
from store.lists.outbox import Message
from store.unit import Outage

CALL_BACK = frozenset(("http",))
"""Kinds of agents that may answer later and need a token to do so."""

# The reason in the notice to an agent, for events that state none.
_REASONS: dict[type[Event], str] = {StepTimedOut: "step_timed_out", StepHeartbeatMissed: "heartbeat_missed"}


Deliver = Callable[[AgentCall, Answer], None]


class CallsAgents(Protocol):
    """The gateway to agents and channels, as `gateway.gateway.AgentGateway` implements it; nothing in it blocks."""

    def begin(
        self, call: AgentCall, config: dict[str, Any], deliver: Deliver, sends: Callable[[AgentCall], None]
    ) -> None:
        """Call the agent that `config` describes; call `deliver` with its answer, from any thread.

        sends: called, from any thread, when the call goes out; not if it is answered at once.
        """

    def notify(self, call: AgentCall, deliver: Deliver) -> None:
        """Deliver the notification `call`; call `deliver` with the outcome, from any thread."""

    def notify_abandoned(
        self, abandoned: AbandonedAttempt, config: dict[str, Any], notified: Callable[[bool], None]
    ) -> None:
        """Notify the agent that it need not answer; call `notified` with whether it accepts that, from any thread."""

    def cancel(self, execution_id: UUID, step: str, attempt: int) -> None:
        """Abandon an open call: deliver nothing."""


class Calling:
    """Turns attempts into calls, and keeps each open call until a duty decides on its answer.

    capacity: counts the open calls of each agent, and has the limit of each. sends: called, from any thread, when a
    call goes out.
    """

    def __init__(
        self,
        agents: CachedAgents,
        gateway: CallsAgents,
        deliver: Deliver,
        callback_key: bytes,
        capacity: Capacity,
        sends: Callable[[AgentCall], None],
    ) -> None:
        self._agents = agents
        self._gateway = gateway
        self._deliver = deliver
        self._callback_key = callback_key
        self._capacity = capacity
        self._sends = sends
        self._open: dict[Attempt, AgentCall] = {}

    @property
    def open(self) -> int:
        """The number of open calls, answers that wait to be recorded included."""
        return len(self._open)

    def attempts(self) -> set[Attempt]:
        """Return the attempts that are open now; callable from any thread."""
        return set(self._open.copy())

    def read_limits(self, agents: Iterable[str]) -> None:
        """Read the limits of each agent, as of a second ago at most."""
        for agent in agents:
            if agent:
                self._capacity.limit(agent, self._agents.limits(agent))

    def begin(self, taken: Sequence[tuple[Execution, str]]) -> list[tuple[UUID, str, Exception]]:
        """Call the agents of attempts that have just started, or deliver their notifications; wait for no answer.

        taken: the steps of the attempts, each with the state of its execution. Return the attempts that could not be
        begun, each with its error. Raises Outage.
        """
        agents: dict[str, int] = {}
        for execution, step in taken:
            agent = execution.steps[step].agent
            agents[agent] = agents.get(agent, 0) + 1
        for agent, calls in agents.items():
            self._capacity.open.add(agent, calls)
        failed: list[tuple[UUID, str, Exception]] = []
        configs: dict[str, dict[str, Any] | None] = {}  # read once for all attempts of an agent
        for n, (execution, step) in enumerate(taken):
            try:
                agent = execution.steps[step].agent
                if agent not in configs:
                    configs[agent] = self._agents.config(agent) if agent else None
                self._begin(execution, step, configs[agent])
            except Outage:
                self._uncount(taken[n:])
                raise
            except Exception as error:  # noqa: BLE001 - logged when the execution is set aside
                self._uncount([(execution, step)])
                failed.append((execution.id, step, error))
        return failed

    def notify_agent(self, message: Message, notified: Callable[[bool], None]) -> None:
        """Notify the agent that the attempt which `message` is about was abandoned; never wait for the agent.

        notified: called, in this thread or another, with whether the agent has taken the notice, or needs none.
        """
        event: Any = message.event
        reason = event.reason if isinstance(event, StepCancelled) else _REASONS[type(event)]
        config = self._agents.config(event.tell)
        if config is None or config["kind"] not in CALL_BACK:
            notified(True)
        else:
            abandoned = AbandonedAttempt(message.source, event.step, event.attempt, event.tell, reason)
            self._gateway.notify_abandoned(abandoned, config, notified)

    def abandon(self, execution_id: UUID, step: str) -> None:
        """Abandon the attempts of one step that are open here."""
        self.cancel([attempt for attempt in self._open if attempt[:2] == (execution_id, step)])

    def answered(self, calls: Iterable[AgentCall]) -> None:
        """Close calls whose answers a duty decides on."""
        agents: dict[str, int] = {}
        for call in calls:
            if self._open.pop((call.execution_id, call.step, call.attempt), None) is not None:
                agents[call.agent] = agents.get(call.agent, 0) + 1
        for agent, ended in agents.items():
            self._capacity.over(agent, ended)

    def cancel(self, attempts: Iterable[Attempt]) -> None:
        """Abandon the open calls among `attempts`."""
        for attempt in attempts:
            call = self._open.pop(attempt, None)
            if call is not None:
                self._capacity.over(call.agent)
                self._gateway.cancel(*attempt)

    def _uncount(self, taken: Sequence[tuple[Execution, str]]) -> None:
        """Count attempts as open no longer, unless a call of theirs is."""
        for execution, step in taken:
            state = execution.steps[step]
            if (execution.id, step, state.attempt) not in self._open:
                self._capacity.over(state.agent)

    def _begin(self, execution: Execution, step: str, config: dict[str, Any] | None) -> None:
        """Begin the latest attempt of a step. config: of its agent."""
        token = ""
        if config is not None and config["kind"] in CALL_BACK:
            token = callback_token(self._callback_key, execution.id, step, execution.steps[step].attempt)
        call = call_of(execution, step, token)
        attempt = call.execution_id, step, call.attempt
        before = self._open.setdefault(attempt, call)
        if before is not call:
            self._capacity.over(before.agent)
            self._open[attempt] = call
        if config is not None:
            self._gateway.begin(call, config, self._deliver, self._sends)
        elif isinstance(execution.plan.steps[step], PlannedNotification):
            self._gateway.notify(call, self._deliver)
        else:
            self._deliver(call, Failed(self._no_agent(call.agent)))

    def _no_agent(self, name: str) -> StepError:
        """Return the error of a step whose agent takes no calls."""
        why = f"the agent {name!r} is retired" if self._agents.retired(name) else f"no agent {name!r} is registered"
        return StepError("agent_unknown", why, permanent=True)
