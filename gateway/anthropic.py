"""Models behind Anthropic's ``POST {base_url}/v1/messages``."""

from typing import Any

from domain.agents.calls import AgentCall, Failed
from domain.agents.kinds import AnthropicConfig
from gateway.failures import AnswerMalformed, refused
from gateway.models import message_of
from gateway.secrets import Disclosed
from gateway.streams import assemble_message
from gateway.usage.anthropic import measure_anthropic
from gateway.usage.counts import Measured


class AnthropicMessages:
    """The contract of messages. Each request states how many tokens the answer may have."""

    reserved = frozenset(("messages", "stream"))
    path = "/v1/messages"
    assemble = staticmethod(assemble_message)

    def __init__(self, config: AnthropicConfig) -> None:
        self._config = config

    def headers(self, disclosed: Disclosed) -> dict[str, str]:
        """Return the key, and the version of the contract."""
        found = {"anthropic-version": self._config.api_version}
        if self._config.api_key is not None:
            found["x-api-key"] = disclosed.resolve(self._config.api_key)
        return found

    def request(self, call: AgentCall) -> dict[str, Any]:
        """Return a request with the step's message as the user's."""
        config = self._config
        request: dict[str, Any] = {
            "model": config.model,
            "max_tokens": config.max_tokens,
            "messages": [{"role": "user", "content": message_of(call)}],
        }
        if config.system is not None:
            request["system"] = config.system
        if config.temperature is not None:
            request["temperature"] = config.temperature
        return request | ({"stream": True} if config.stream else {})

    def measure(self, answer: dict[str, Any]) -> Measured:
        """Return the usage of a message."""
        return measure_anthropic(answer.get("usage"), answer.get("model"))

    def text(self, answer: dict[str, Any], measured: Measured) -> str | Failed:
        """Return the texts of a message, joined; a refusal is a permanent failure."""
        reason = answer.get("stop_reason")
        if reason == "refusal":
            error = refused("agent_refused", "the model refused").error
            return Failed(error, usage=measured.usage, metered=measured.metered)
        content = answer.get("content")
        blocks = [each for each in content if isinstance(each, dict)] if isinstance(content, list) else []
        texts = [each["text"] for each in blocks if each.get("type") == "text" and isinstance(each.get("text"), str)]
        if not texts:
            raise AnswerMalformed(f"content holds no text (stop_reason {str(reason)[:40]})")
        return "".join(texts)
