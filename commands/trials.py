"""Trials of agents: one call with a message, through the gateway, of which only a line in the log stays."""

import logging
import queue
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from commands.agents import Agents
from domain.agents.calls import Accepted, AgentCall, Answer, Completed, Failed, StepError, Usage
from domain.agents.policy import OutgoingPolicy
from domain.clock import Clock
from domain.identity import new_id
from domain.refusal import Refusal

if TYPE_CHECKING:
    from gateway.gateway import AgentGateway

logger = logging.getLogger("procession.trials")

MOST_AT_ONCE = 4
LONGEST_MESSAGE = 100_000
# The gateway ends a call at its deadline; this much later it is abandoned whatever happens.
GRACE_SECONDS = 5.0


class AgentTrial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message for an agent. parameters: as of a step. timeout_seconds: how long the answer is awaited."""

    message: Annotated[str, Meta(min_length=1, max_length=LONGEST_MESSAGE)]
    parameters: dict[str, Any] = {}
    timeout_seconds: Annotated[int, Meta(ge=1, le=60)] = 30


class TrialError(msgspec.Struct, frozen=True):
    """The error of the agent. permanent: another attempt cannot help."""

    code: str
    message: str
    permanent: bool


class TrialCost(msgspec.Struct, frozen=True):
    """Money that the agent reports; amount is an exact decimal."""

    amount: str
    currency: str


class TrialAnswer(msgspec.Struct, frozen=True):
    """The answer of an agent to a trial. outcome: ``accepted``: it would answer later, which a trial does not await.

    usage, cost: as the agent reports them; null where it does not.
    """

    name: str
    kind: str
    outcome: Literal["completed", "failed", "accepted"]
    output: Any
    error: TrialError | None
    usage: Usage | None
    cost: TrialCost | None
    duration_seconds: float


class TooManyTrials(Refusal):
    """Each trial holds a connection and a thread; their number is bounded."""

    code = "too_many_trials"


class Trials:
    """Calls agents by the rules that workers follow: the same addresses, secrets and masks. Starts with the first."""

    def __init__(self, agents: Agents, clock: Clock, policy: OutgoingPolicy) -> None:
        self._agents = agents
        self._clock = clock
        self._policy = policy
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._starting = threading.Lock()
        self._gateway: AgentGateway | None = None

    def run(self, name: str, trial: AgentTrial, actor: str) -> TrialAnswer:
        """Call the agent and wait for its answer. Raises AgentNotFound, Forbidden (retired_agent) or TooManyTrials."""
        config = self._agents.configuration(name)
        if not self._places.acquire(blocking=False):
            raise TooManyTrials(f"{MOST_AT_ONCE} agents are being tried here; try again when one has answered")
        begun = self._clock.monotonic()
        try:
            answer = self._call(name, config, trial)
        finally:
            self._places.release()
        tried = _answer(name, config["kind"], answer, round(self._clock.monotonic() - begun, 3))
        logger.info(
            "%s tried the agent %s: %s%s in %.3f s, usage %s, cost %s",
            actor,
            name,
            tried.outcome,
            "" if tried.error is None else f" ({tried.error.code})",
            tried.duration_seconds,
            "unknown" if tried.usage is None else f"{tried.usage.input_tokens}+{tried.usage.output_tokens}",
            "unknown" if tried.cost is None else f"{tried.cost.amount} {tried.cost.currency}",
        )
        return tried

    def close(self) -> None:
        """End the calls that are under way."""
        with self._starting:
            if self._gateway is not None:
                self._gateway.close(grace=timedelta())

    def _call(self, name: str, config: dict[str, Any], trial: AgentTrial) -> Answer:
        answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        call = AgentCall(
            execution_id=new_id(),
            step="try",
            attempt=1,
            agent=name,
            process="try",
            version=0,
            message=trial.message,
            parameters=trial.parameters,
            deadline=self._clock.now() + timedelta(seconds=trial.timeout_seconds),
        )
        gateway = self._started()
        gateway.begin(call, config, lambda _call, answer: answers.put(answer))
        try:
            return answers.get(timeout=trial.timeout_seconds + GRACE_SECONDS)
        except queue.Empty:
            gateway.cancel(call.execution_id, call.step, call.attempt)
            return Failed(StepError("deadline_exceeded", "the agent did not answer in time"))

    def _started(self) -> "AgentGateway":
        from gateway.gateway import AgentGateway  # no other command calls agents

        with self._starting:
            if self._gateway is None:
                self._gateway = AgentGateway(
                    clock=self._clock, callback_base=None, max_open=MOST_AT_ONCE, policy=self._policy
                )
            return self._gateway


def _answer(name: str, kind: str, answer: Answer, seconds: float) -> TrialAnswer:
    if isinstance(answer, Accepted):
        return TrialAnswer(name, kind, "accepted", None, None, None, None, seconds)
    cost = None if answer.cost is None else TrialCost(str(answer.cost.amount), answer.cost.currency)
    if isinstance(answer, Completed):
        return TrialAnswer(name, kind, "completed", answer.output, None, answer.usage, cost, seconds)
    error = TrialError(answer.error.code, answer.error.message, answer.error.permanent)
    return TrialAnswer(name, kind, "failed", None, error, answer.usage, cost, seconds)
