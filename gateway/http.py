"""Agents behind our JSON contract over HTTP.

The worker POSTs ``{execution_id, step, attempt, agent, process, version, message, parameters, output_schema, deadline,
callback: {url, fail_url, heartbeat_url, token}}`` with the headers ``Idempotency-Key: execution:step:attempt`` and
``X-Procession-Deadline`` (the same instant as ``deadline``). The agent answers

- 200 with the final answer. JSON: an object with the key ``output`` is ``{output, usage?, cost?: {amount, currency}}``
  (other keys mean nothing), any other JSON value is itself the output. ``text/*``: the text is the output.
- 202: it accepted the work and will POST to ``callback.url`` later.
- 429 or 503, optionally with ``Retry-After``; other 4xx: do not try again; other 5xx: try again.
"""

import msgspec

from domain.agents.calls import Accepted, AgentCall, Answer, Completed, Failed
from domain.agents.kinds import HttpConfig
from gateway.answers import noted, read_cost, read_json, read_spending, read_text
from gateway.exchange import Reply, ReplyRoom, failure, post
from gateway.failures import AnswerMalformed, malformed, refused
from gateway.outgoing import Outgoing
from gateway.secrets import Disclosed, SecretMissing
from gateway.usage.ours import measure_ours

# The bytes of an answer beside its output.
ENVELOPE = 64 * 1024


class Http:
    """One agent behind the contract. callback_base: the address of our API, such as ``https://flow.example``."""

    def __init__(self, config: HttpConfig, outgoing: Outgoing, callback_base: str | None) -> None:
        self._config = config
        self._outgoing = outgoing
        self._callback_base = callback_base.rstrip("/") if callback_base else None

    async def answer(self, call: AgentCall) -> Answer:
        """Return the agent's answer to `call`."""
        disclosed = Disclosed(self._outgoing.policy.secrets)
        try:
            headers = disclosed.resolve_all(self._config.headers)
        except SecretMissing as missing:
            return refused(missing.code, str(missing))
        deadline = self._outgoing.clock.now() + self._config.deadline
        if call.deadline is not None:
            deadline = min(deadline, call.deadline)
        until = deadline.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        headers |= {
            "Accept": "application/json, text/*;q=0.5",
            "Idempotency-Key": call.idempotency_key,
            "X-Procession-Deadline": until,
        }
        body = msgspec.json.encode(self._request(call, until))
        large = self._outgoing.large
        room = None if large is None else ReplyRoom(large.answers, large.most + ENVELOPE)
        try:
            reply = await post(
                self._outgoing, self._config.url, headers, body, self._config.deadline, disclosed, room=room
            )
            if isinstance(reply, Failed):
                return reply
            answer = await reply.read(read_reply)
            return await large.kept(call, answer) if large is not None and room is not None and room.entered else answer
        finally:
            if room is not None:
                room.leave()

    def _request(self, call: AgentCall, until: str) -> dict[str, object]:
        return {
            "execution_id": call.execution_id,
            "step": call.step,
            "attempt": call.attempt,
            "agent": call.agent,
            "process": call.process,
            "version": call.version,
            "message": call.message,
            "parameters": call.parameters,
            "output_schema": call.output_schema,
            "deadline": until,
            "callback": self._callback(call),
        }

    def _callback(self, call: AgentCall) -> dict[str, str | None]:
        base = self._callback_base
        step = f"{base}/api/executions/{call.execution_id}/steps/{call.step}" if base else None
        return {
            "url": f"{step}/complete" if step else None,
            "fail_url": f"{step}/fail" if step else None,
            "heartbeat_url": f"{step}/heartbeat" if step else None,
            "token": call.callback_token,
        }


def read_reply(reply: Reply) -> Answer:
    """Return the answer that the reply means under the contract."""
    if reply.status == 202:
        return Accepted()
    if reply.status != 200:
        return failure(reply)
    try:
        return _completed(reply)
    except AnswerMalformed as error:
        return malformed(str(error), *read_spending(reply.body))


def _completed(reply: Reply) -> Completed:
    body = reply.content()
    if reply.media_type.startswith("text/"):
        return Completed(read_text(body))
    if reply.media_type not in ("", "application/json") and not reply.media_type.endswith("+json"):
        raise AnswerMalformed(f"it is {reply.media_type[:100]}, neither JSON nor text")
    value = read_json(body)
    if isinstance(value, dict) and "output" in value:
        usage, metered = measure_ours(value.get("usage"))
        cost = read_cost(value.get("cost"), body)
        return Completed(value["output"], usage=usage, cost=cost, metered=noted(metered, value))
    return Completed(value)
