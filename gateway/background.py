"""Responses that a model makes in the background: requested once, recorded by id, polled for by any worker."""

import asyncio
import logging
from datetime import timedelta
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec

from domain.agents.calls import AgentCall, Answer, Failed
from domain.agents.models import OpenAIResponsesConfig
from gateway.answers import read_json
from gateway.exchange import Reply, get, post
from gateway.failures import AnswerMalformed, deadline_exceeded, malformed
from gateway.model import Model, read_reply
from gateway.openai_responses import OpenAIResponses
from gateway.outgoing import Outgoing
from gateway.secrets import Disclosed

UNDER_WAY = frozenset(("queued", "in_progress"))
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
# One poll; a model that does not answer a poll in this time is polled again.
POLL = timedelta(seconds=30)
LONGEST_ID = 200
# Failures of a poll, after which the response may still be there.
_PASSING = frozenset(
    ("agent_unreachable", "agent_rate_limited", "agent_unavailable", "agent_error", "deadline_exceeded")
)
log = logging.getLogger("procession.gateway")


class KeepsResponses(Protocol):
    """Keeps the ids of responses with their attempts."""

    def keep(self, call: AgentCall, response_id: str) -> None:
        """Record the id; another worker then polls for it instead of calling the model again. It may block."""

    def is_over(self, call: AgentCall) -> bool:
        """Return whether the attempt has ended, so that no worker awaits its response. It may block."""


class BackgroundModel:
    """One model at one address, whose responses are polled for."""

    def __init__(self, config: OpenAIResponsesConfig, outgoing: Outgoing, responses: KeepsResponses | None) -> None:
        self._config = config
        self._outgoing = outgoing
        self._responses = responses
        self._dialect = OpenAIResponses(config)
        self._model = Model(config, self._dialect, outgoing)
        # The ids of responses that are polled for, by the key of their attempt.
        self._polls: dict[str, str] = {}
        self._cancelling: set[asyncio.Task[None]] = set()

    async def answer(self, call: AgentCall) -> Answer:
        """Return the model's answer to `call`: of the response that the call names, else of a new one."""
        disclosed = Disclosed(self._outgoing.policy.secrets)
        headers = self._model.headers_for(call, disclosed)
        if isinstance(headers, Failed):
            return headers
        try:
            async with asyncio.timeout(self._config.deadline.total_seconds()):
                answer = await self._answer(call, headers, disclosed)
        except TimeoutError:
            cancelling = asyncio.get_running_loop().create_task(self._cancel(call))
            self._cancelling.add(cancelling)
            cancelling.add_done_callback(self._cancelling.discard)
            return deadline_exceeded(self._config.deadline)
        self._polls.pop(call.idempotency_key, None)
        return answer

    async def cancel(self, call: AgentCall) -> None:
        """Cancel the response of a call that was abandoned, once its attempt has ended; as far as that is possible.

        Another worker may poll for the response of an attempt that goes on.
        """
        responses = self._responses
        try:
            if responses is None or await asyncio.to_thread(responses.is_over, call):
                await self._cancel(call)
        except Exception:
            log.exception("the background response of agent %s is not cancelled", call.agent)
        finally:
            self._polls.pop(call.idempotency_key, None)

    async def _cancel(self, call: AgentCall) -> None:
        id = self._polls.pop(call.idempotency_key, call.response_id)
        disclosed = Disclosed(self._outgoing.policy.secrets)
        headers = self._model.headers_for(call, disclosed)
        if not id or isinstance(headers, Failed):
            return
        reply = await post(self._outgoing, f"{self._url(id)}/cancel", headers, b"", POLL, disclosed)
        said = reply.error.message if isinstance(reply, Failed) else f"status {reply.status}"
        if isinstance(reply, Failed) or reply.status != 200:
            log.warning("the background response %s of agent %s is not cancelled: %s", id, call.agent, said)
        else:
            log.info("the background response %s of agent %s is cancelled", id, call.agent)

    async def _answer(self, call: AgentCall, headers: dict[str, str], disclosed: Disclosed) -> Answer:
        id = call.response_id
        if not id:
            body = msgspec.json.encode(self._dialect.request(call) | call.parameters)
            reply = await post(self._outgoing, self._model.url, headers, body, self._config.deadline, disclosed)
            if isinstance(reply, Failed):
                return reply
            status, id = await reply.read(_standing)
            if status not in UNDER_WAY:
                return await reply.read(partial(read_reply, dialect=self._dialect))
            if not id:
                return malformed("a response in the background has no id")
        # Known before it is recorded: the attempt may be cancelled as soon as the log has the id.
        self._polls[call.idempotency_key] = id
        if not call.response_id:
            await self._keep(call, id)
        return await self._polled(id, headers, disclosed)

    async def _keep(self, call: AgentCall, id: str) -> None:
        if self._responses is None:
            return
        try:
            await asyncio.to_thread(self._responses.keep, call, id)
        except Exception:
            # The response goes on, and this worker polls for it; only another worker would have to call again.
            log.exception("the id of a background response of agent %s is not recorded", call.agent)

    def _url(self, id: str) -> str:
        parts = urlsplit(self._model.url)
        return urlunsplit(parts._replace(path=f"{parts.path}/{quote(id, safe='')}"))

    async def _polled(self, id: str, headers: dict[str, str], disclosed: Disclosed) -> Answer:
        url = self._url(id)
        polling = {name: value for name, value in headers.items() if name != "Idempotency-Key"}
        pause = FIRST_PAUSE
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
            reply = await get(self._outgoing, url, polling, POLL, disclosed)
            if isinstance(reply, Reply):
                if reply.status == 200 and (await reply.read(_standing))[0] in UNDER_WAY:
                    continue
                answer = await reply.read(partial(read_reply, dialect=self._dialect))
                if reply.status == 200:
                    return answer
            else:
                answer = reply
            if not isinstance(answer, Failed) or answer.error.code not in _PASSING:
                return answer
            if answer.error.retry_after is not None:
                pause = max(pause, min(answer.error.retry_after.total_seconds(), LONGEST_PAUSE))


def _standing(reply: Reply) -> tuple[str, str]:
    """Return the status and the id in a reply; empty where it states none."""
    try:
        body: Any = read_json(reply.content()) if reply.status == 200 else None
    except AnswerMalformed:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    id = body.get("id")
    usable = isinstance(id, str) and 0 < len(id) <= LONGEST_ID and id.isascii() and id.isprintable()
    return str(body.get("status")), str(id) if usable else ""
