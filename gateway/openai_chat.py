"""Models behind any OpenAI-compatible ``POST {base_url}/chat/completions``.

The step's message is the user's message (a value that is not a text goes as its JSON); its parameters are fields of the
request (``temperature``, ``max_tokens``, ``seed``…) and win over the agent's own. The output is the answer's text, or,
in a JSON mode, the value it holds.
"""

from typing import Any

from domain.agents.calls import AgentCall, Failed
from domain.agents.kinds import OpenAIChatConfig
from gateway.failures import AnswerMalformed, refused
from gateway.models import message_of
from gateway.secrets import Disclosed
from gateway.streams import assemble_chat
from gateway.usage.counts import Measured
from gateway.usage.openai import measure_openai


class OpenAIChat:
    """The contract of chat completions."""

    reserved = frozenset(("messages", "stream", "stream_options", "n", "response_format"))
    path = "/chat/completions"
    assemble = staticmethod(assemble_chat)

    def __init__(self, config: OpenAIChatConfig) -> None:
        self._config = config

    def headers(self, disclosed: Disclosed) -> dict[str, str]:
        """Return the key."""
        if self._config.api_key is None:
            return {}
        return {"Authorization": f"Bearer {disclosed.resolve(self._config.api_key)}"}

    def request(self, call: AgentCall) -> dict[str, Any]:
        """Return a request with the step's message as the user's."""
        config = self._config
        messages = [{"role": "system", "content": config.system}] if config.system else []
        request: dict[str, Any] = {
            "model": config.model,
            "messages": [*messages, {"role": "user", "content": message_of(call)}],
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
        if config.stream:
            request |= {"stream": True, "stream_options": {"include_usage": True}}
        return request

    def measure(self, answer: dict[str, Any]) -> Measured:
        """Return the usage of a completion."""
        return measure_openai(answer.get("usage"), answer.get("model"), answer.get("service_tier"))

    def text(self, answer: dict[str, Any], measured: Measured) -> str | Failed:
        """Return the text of the first choice; a refusal is a permanent failure."""
        choices = answer.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, dict) else None
        if not isinstance(choice, dict) or not isinstance(message, dict):
            raise AnswerMalformed("choices[0].message is missing")
        text = _text(message.get("content"))
        if text is not None:
            return text
        refusal = message.get("refusal")
        if isinstance(refusal, str) and refusal:
            error = refused("agent_refused", f"the model refused: {refusal[:500]}").error
            return Failed(error, usage=measured.usage, metered=measured.metered)
        reason = str(choice.get("finish_reason"))[:40]
        raise AnswerMalformed(f"choices[0].message.content is not a text (finish_reason {reason})")


def _text(content: Any) -> str | None:
    """Return the text of a message, which some servers send in parts."""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(text for text in texts if isinstance(text, str)) if texts else None
    return content if isinstance(content, str) else None
