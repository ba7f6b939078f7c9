"""The gateway: begins agent calls without blocking, holds the open ones, and delivers each answer once."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from domain.agents.calls import CALL_CANCELLED, AbandonedAttempt, AgentCall, Answer, Failed, StepError
from domain.agents.kinds import HttpConfig, read_agent
from domain.agents.models import ModelConfig
from domain.agents.policy import OutgoingPolicy
from domain.agents.scripted import ScriptedConfig
from domain.clock import Clock
from domain.refusal import Malformed
from gateway.background import BackgroundModel, KeepsResponses
from gateway.cancelling import post_abandoned
from gateway.channels import Channels
from gateway.failures import deadline_exceeded, misconfigured, summary
from gateway.http import Http
from gateway.large_results import KeepsLargeResults, LargeResults
from gateway.loop import LoopThread
from gateway.models import model_of
from gateway.notifications import Notifications
from gateway.open_calls import AttemptKey, DeliverAnswer, InstantAdapter, NoteSent, OpenCall, ReadAgent
from gateway.outgoing import Outgoing
from gateway.scripted import Scripted


class PricesAnswers(Protocol):
    """Prices the use in answers, as `commands.pricing.Pricing` does; callable from any thread."""

    @property
    def is_ready(self) -> bool:
        """Whether pricing waits for nothing now: it then takes microseconds."""

    def needs(self, answer: Answer, config: Mapping[str, Any]) -> bool:
        """Return whether the answer has a use to be priced."""

    def priced(self, answer: Answer, config: Mapping[str, Any], called_at: datetime | None) -> Answer:
        """Return the answer with the cost of its use."""


log = logging.getLogger("procession.gateway")


class AgentGateway:
    """Calls agents and notifies people.

    Its methods may be used from any thread but its own loop's, on which answers are delivered.

    callback_base: the address of our API for later answers of agents, or None without one. max_open: calls that are on
    the wire at once; further ones wait, in order. channels: the channels of notifications; ValueError is raised for a
    secret that cannot be used. policy: the rules of what goes out. large: stores large results; None: they are not
    allowed. responses: keeps the ids of responses in the background; None: they are known to this process only.
    pricing: of what answers used; None: they stay as reported.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        callback_base: str | None,
        max_open: int = 1000,
        channels: Channels | None = None,
        policy: OutgoingPolicy = OutgoingPolicy(),  # noqa: B008 - immutable
        large: KeepsLargeResults | None = None,
        responses: KeepsResponses | None = None,
        pricing: PricesAnswers | None = None,
    ) -> None:
        self._clock = clock
        self._pricing = pricing
        self._callback_base = callback_base
        self._agents: dict[str, ReadAgent] = {}
        self._open: dict[AttemptKey, OpenCall] = {}
        self._lock = threading.Lock()
        self._places = asyncio.Semaphore(max_open)
        self._loop = LoopThread("agent-calls")
        self._responses = responses
        self._large = None if large is None else LargeResults(large)
        self._outgoing = Outgoing(clock, policy, self._large)
        self._notifications = Notifications(channels or Channels(), self._outgoing)
        self._notices: set[asyncio.Task[bool]] = set()
        self._follow_ups: set[asyncio.Task[None]] = set()
        self._closed = False

    def begin(
        self, call: AgentCall, config: dict[str, Any], deliver: DeliverAnswer, sends: NoteSent = lambda _call: None
    ) -> None:
        """Call the agent that `config` (canonical) describes with `call`; never blocks on the answer.

        An answer that needs no waiting (scripts without a delay, unusable configurations) is delivered at once, in this
        thread. Everything else is delivered later from the loop's thread, exactly once, unless it is cancelled;
        `deliver` must not block there. An attempt that is open already stays as it is. sends: called from the loop's
        thread just before the call goes out. Raises RuntimeError after `close`.
        """
        agent = self._agents.get(call.agent)
        if agent is None or (agent.config is not config and agent.config != config):
            agent = self._agents[call.agent] = self._read(config)
        if self._closed:
            raise RuntimeError("the gateway is closed")
        refers = self._large is not None and self._large.refers(call)
        if agent.instant is not None and not refers and not agent.is_priced:
            deliver(call, agent.instant(call))
        elif agent.instant is not None and not refers and self._prices_at_once:
            deliver(call, self._priced_now(call, config, agent.instant(call)))
        elif agent.instant is not None:
            self._begin(OpenCall(call, InstantAdapter(agent.instant), deliver, config, refers=refers))
        elif agent.adapter is not None:
            self._begin(OpenCall(call, agent.adapter, deliver, config, refers=refers, sends=sends))

    def notify(self, call: AgentCall, deliver: DeliverAnswer) -> None:
        """Deliver the notification `call` (its message) through the channels that its parameters name, as `begin` does.

        parameters: ``{channels: [...], subject?, recipients?: [...], url?}``. A notification that can never be
        delivered is answered at once, in this thread.
        """
        if self._closed:
            raise RuntimeError("the gateway is closed")
        unfit = self._notifications.unfit(call)
        if unfit is not None:
            deliver(call, unfit)
        else:
            refers = self._large is not None and self._large.refers(call)
            self._begin(OpenCall(call, self._notifications, deliver, refers=refers))

    def notify_abandoned(
        self, abandoned: AbandonedAttempt, config: dict[str, Any], notified: Callable[[bool], None]
    ) -> None:
        """Notify the agent that `config` describes that its answer is no longer awaited; never blocks on it.

        notified: called with whether the agent has accepted the notice, or needs none, in this thread or from the
        loop's, where it must not block; not at all when the gateway is closed before.
        """
        try:
            typed = read_agent(config)
        except Malformed:
            typed = None
        if isinstance(typed, HttpConfig) and typed.cancel_url is not None:
            self._loop.call(self._begin_notice, typed, abandoned, notified)
        else:
            notified(True)

    def cancel(self, execution_id: UUID, step: str, attempt: int) -> None:
        """Cancel an open call: close its connection. Does nothing when it is not open.

        Nothing is delivered, except that a call of a model was cancelled: it may have cost something.
        """
        with self._lock:
            entry = self._open.pop((execution_id, step, attempt), None)
        if entry is not None:
            self._loop.call(self._abort, entry)

    def open_calls(self) -> int:
        """Return the number of calls that have begun and are neither delivered nor cancelled."""
        return len(self._open)

    def close(self, *, grace: timedelta) -> None:
        """Refuse new calls, wait up to `grace` for open calls, cancel the rest, end the thread. Safe to repeat."""
        with self._lock:
            self._closed = True
        if self._loop.started:
            self._loop.run(self._drain(grace.total_seconds()))
            self._loop.stop()

    def _read(self, config: dict[str, Any]) -> ReadAgent:
        try:
            typed = read_agent(config)
        except Malformed as error:
            failed = misconfigured(summary(error))
            return ReadAgent(config, lambda call: failed, None)
        match typed:
            case ScriptedConfig():
                scripted = Scripted(typed)
                if scripted.delay:
                    return ReadAgent(config, None, scripted)
                return ReadAgent(config, scripted.answer_now, None, is_priced=scripted.is_priced)
            case HttpConfig():
                return ReadAgent(config, None, Http(typed, self._outgoing, self._callback_base))
            case ModelConfig():
                return ReadAgent(config, None, model_of(typed, self._outgoing, self._responses))

    def _begin(self, entry: OpenCall) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("the gateway is closed")
            if entry.key in self._open:
                return
            self._open[entry.key] = entry
            # Inside the lock, so that `close` finds the start of every open call queued before its own work.
            self._loop.call(self._start, entry)

    # Below: on the loop's thread only.

    def _start(self, entry: OpenCall) -> None:
        if self._open.get(entry.key) is entry:
            entry.task = asyncio.get_running_loop().create_task(self._answer(entry))
            entry.task.add_done_callback(partial(self._settle, entry))

    @property
    def _prices_at_once(self) -> bool:
        # Prices may have to be read first, and the worker's thread does not wait for that.
        return self._pricing is None or self._pricing.is_ready

    def _priced_now(self, call: AgentCall, config: dict[str, Any], answer: Answer) -> Answer:
        pricing = self._pricing
        if pricing is None or not pricing.needs(answer, config):
            return answer
        return pricing.priced(answer, config, call.started_at)

    async def _answer(self, entry: OpenCall) -> Answer:
        answer, pricing = await self._called(entry), self._pricing
        if pricing is None or entry.config is None or not pricing.needs(answer, entry.config):
            return answer
        if pricing.is_ready:
            return pricing.priced(answer, entry.config, entry.call.started_at)
        return await asyncio.to_thread(pricing.priced, answer, entry.config, entry.call.started_at)

    async def _called(self, entry: OpenCall) -> Answer:
        deadline = entry.call.deadline
        left = None if deadline is None else (deadline - self._clock.now()).total_seconds()
        if left is not None and left <= 0:
            return deadline_exceeded()
        try:
            async with asyncio.timeout(left), self._places:
                entry.sends(entry.call)
                if entry.refers and self._large is not None:
                    return await self._large.answered(entry.call, entry.adapter.answer)
                return await entry.adapter.answer(entry.call)
        except TimeoutError:
            return deadline_exceeded()

    def _settle(self, entry: OpenCall, task: asyncio.Task[Answer]) -> None:
        with self._lock:
            ours = self._open.get(entry.key) is entry
            if ours:
                del self._open[entry.key]
        if task.cancelled():
            return
        error = task.exception()
        if not ours:
            return
        if error is not None:
            agent = entry.call.agent
            log.error("%s failed", f"calling agent {agent}" if agent else "delivering a notification", exc_info=error)
            what = "calling the agent" if agent else "delivering the notification"
            message = f"{what} failed inside the worker: {type(error).__name__}"
            entry.deliver(entry.call, Failed(StepError("gateway_error", message)))
        else:
            entry.deliver(entry.call, task.result())

    def _begin_notice(self, config: HttpConfig, abandoned: AbandonedAttempt, notified: Callable[[bool], None]) -> None:
        task = asyncio.get_running_loop().create_task(post_abandoned(self._outgoing, config, abandoned))
        self._notices.add(task)
        task.add_done_callback(partial(self._notice_done, notified))

    def _notice_done(self, notified: Callable[[bool], None], task: asyncio.Task[bool]) -> None:
        self._notices.discard(task)
        if not task.cancelled():
            error = task.exception()
            if error is not None:
                log.error("notifying an agent failed", exc_info=error)
            notified(error is None and task.result())

    def _abort(self, entry: OpenCall) -> None:
        if entry.task is None:
            return
        entry.task.cancel()
        if isinstance(entry.adapter, BackgroundModel):
            self._follow_up(entry.adapter.cancel(entry.call))
        failed = Failed(StepError(CALL_CANCELLED, "the call was cancelled"))
        if self._pricing is not None and entry.config is not None and self._pricing.needs(failed, entry.config):
            self._follow_up(self._book(entry, entry.config, failed, self._pricing))

    def _follow_up(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._follow_ups.add(task)
        task.add_done_callback(self._follow_ups.discard)

    async def _book(self, entry: OpenCall, config: dict[str, Any], failed: Failed, pricing: PricesAnswers) -> None:
        """Deliver that a model was called, although nobody reports what the call used."""
        entry.deliver(entry.call, await asyncio.to_thread(pricing.priced, failed, config, entry.call.started_at))

    async def _drain(self, seconds: float) -> None:
        tasks: set[asyncio.Task[Any]] = {each.task for each in list(self._open.values()) if each.task is not None}
        tasks |= self._notices | self._follow_ups
        left = (await asyncio.wait(tasks, timeout=max(seconds, 0)))[1] if tasks else set()
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        await self._outgoing.close()
