"""Models behind any OpenAI-compatible ``POST {base_url}/chat/completions``.

The step's message is the user's message (a value that is not a text goes as its JSON); its parameters are fields of the
request (``temperature``, ``max_tokens``, ``seed``…) and win over the agent's own. The output is the answer's text, or,
in a JSON mode, the value it holds.
"""

from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from domain.agents.calls import AgentCall, Answer, Completed, Failed
from domain.agents.kinds import OpenAIChatConfig
from gateway.answers import check_answer, read_json, read_spending
from gateway.exchange import Reply, failure, post
from gateway.failures import AnswerMalformed, malformed, refused
from gateway.outgoing import Outgoing
from gateway.secrets import Disclosed, SecretMissing
from gateway.usage.counts import Measured
from gateway.usage.openai import measure_openai

RESERVED = frozenset(("messages", "stream", "stream_options", "n", "response_format"))


class OpenAIChat:
    """One model at one address."""

    def __init__(self, config: OpenAIChatConfig, outgoing: Outgoing) -> None:
        self._config = config
        self._outgoing = outgoing
        parts = urlsplit(config.base_url)
        self._url = urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/chat/completions"))

    async def answer(self, call: AgentCall) -> Answer:
        """Return the model's answer to `call`."""
        if taken := sorted(RESERVED.intersection(call.parameters)):
            return refused("parameter_reserved", f"the parameter {taken[0]} is set by the agent's configuration")
        disclosed = Disclosed(self._outgoing.policy.secrets)
        try:
            headers = disclosed.resolve_all(self._config.headers)
            if self._config.api_key is not None:
                headers["Authorization"] = f"Bearer {disclosed.resolve(self._config.api_key)}"
        except SecretMissing as missing:
            return refused(missing.code, str(missing))
        headers |= {"Accept": "application/json", "Idempotency-Key": call.idempotency_key}
        body = msgspec.json.encode(self._request(call))
        reply = await post(self._outgoing, self._url, headers, body, self._config.deadline, disclosed)
        if isinstance(reply, Failed):
            return reply
        return await reply.read(partial(read_reply, as_json=self._config.json_mode != "off"))

    def _request(self, call: AgentCall) -> dict[str, Any]:
        config = self._config
        text = call.message if isinstance(call.message, str) else msgspec.json.encode(call.message).decode()
        messages = [{"role": "system", "content": config.system}] if config.system else []
        request: dict[str, Any] = {
            "model": config.model,
            "messages": [*messages, {"role": "user", "content": text}],
        }
        if config.temperature is not None:
            request["temperature"] = config.temperature
        if config.max_tokens is not None:
            request["max_tokens"] = config.max_tokens
        if config.json_mode == "schema" and call.output_schema is not None:
            schema = {"name": call.step[:64], "schema": call.output_schema}
            request["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif config.json_mode != "off":
            request["response_format"] = {"type": "json_object"}
        return request | call.parameters


def read_reply(reply: Reply, *, as_json: bool) -> Answer:
    """Return the answer that the reply means: 200 holds a chat completion, anything else is a failure."""
    if reply.status != 200:
        return failure(reply)
    measured = Measured()
    try:
        completion = read_json(reply.content())
        if not isinstance(completion, dict):
            raise AnswerMalformed("it is not an object")
        measured = measure_openai(completion.get("usage"), completion.get("model"), completion.get("service_tier"))
        return _read_choice(completion, measured, as_json)
    except AnswerMalformed as error:
        # The tokens are spent even if the answer is unusable.
        if measured == Measured():
            measured = Measured(*read_spending(reply.body)[::2])
        return malformed(str(error), usage=measured.usage, metered=measured.metered)


def _read_choice(completion: dict[str, Any], measured: Measured, as_json: bool) -> Answer:
    usage, metered = measured
    choices = completion.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise AnswerMalformed("choices[0].message is missing")
    text = _text(message.get("content"))
    if text is None:
        refusal = message.get("refusal")
        if isinstance(refusal, str) and refusal:
            error = refused("agent_refused", f"the model refused: {refusal[:500]}").error
            return Failed(error, usage=usage, metered=metered)
        reason = choice.get("finish_reason")
        raise AnswerMalformed(f"choices[0].message.content is not a text (finish_reason {str(reason)[:40]})")
    if not as_json:
        return Completed(text, usage=usage, metered=metered)
    value = read_json(text.encode())
    check_answer(value)
    return Completed(value, usage=usage, metered=metered)


def _text(content: Any) -> str | None:
    """Return the text of a message, which some servers send in parts."""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(text for text in texts if isinstance(text, str)) if texts else None
    return content if isinstance(content, str) else None
