"""The dialect of Anthropic's ``POST {base_url}/messages``."""

from typing import Any

from domain.agents.calls import AgentCall, Answer
from domain.agents.models import AnthropicConfig
from gateway.anthropic_stream import MessageFold
from gateway.failures import AnswerMalformed
from gateway.model import completed, refusal, text_of
from gateway.usage.anthropic import measure_anthropic
from gateway.usage.counts import Measured

VERSION = "2023-06-01"
MAX_TOKENS = 4096


class Anthropic:
    """Implements `Dialect`."""

    path = "/messages"
    reserved = frozenset(("messages", "stream", "output_config"))

    def __init__(self, config: AnthropicConfig) -> None:
        self._config = config

    def headers(self, api_key: str | None) -> dict[str, str]:
        """Return the version of the protocol, and the key."""
        return {"anthropic-version": VERSION} | ({} if api_key is None else {"x-api-key": api_key})

    def request(self, call: AgentCall) -> dict[str, Any]:
        """Return the request, without the parameters of the step; the protocol requires `max_tokens`."""
        config = self._config
        request: dict[str, Any] = {
            "model": config.model,
            "max_tokens": config.max_tokens or MAX_TOKENS,
            "messages": [{"role": "user", "content": text_of(call.message)}],
        }
        if config.system:
            request["system"] = config.system
        if config.temperature is not None:
            request["temperature"] = config.temperature
        if config.json_mode == "schema" and call.output_schema is not None:
            request["output_config"] = {"format": {"type": "json_schema", "schema": call.output_schema}}
        if config.stream:
            request["stream"] = True
        return request

    def measure(self, body: dict[str, Any]) -> Measured:
        """Return the reported usage. Raises AnswerMalformed."""
        return measure_anthropic(body.get("usage"), body.get("model"))

    def read(self, body: dict[str, Any], measured: Measured) -> Answer:
        """Return the answer in the blocks of text. Raises AnswerMalformed."""
        reason = str(body.get("stop_reason"))[:40]
        if reason == "refusal":
            return refusal("stop_reason refusal", measured)
        content = body.get("content")
        if not isinstance(content, list):
            raise AnswerMalformed("content is missing")
        blocks = [block for block in content if isinstance(block, dict) and block.get("type") == "text"]
        texts = [block["text"] for block in blocks if isinstance(block.get("text"), str)]
        if not texts:
            raise AnswerMalformed(f"content holds no text (stop_reason {reason})")
        return completed("".join(texts), measured, self._config)

    def fold(self) -> MessageFold:
        """Return an empty fold of the events of a message."""
        return MessageFold()
