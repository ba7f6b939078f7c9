"""The dialect of any OpenAI-compatible ``POST {base_url}/chat/completions``."""

from typing import Any

from domain.agents.calls import AgentCall, Answer
from domain.agents.models import OpenAIChatConfig
from gateway.failures import AnswerMalformed
from gateway.model import completed, refusal, text_of
from gateway.openai_chat_stream import ChatFold
from gateway.usage.counts import Measured
from gateway.usage.openai import measure_openai


class OpenAIChat:
    """Implements `Dialect`."""

    path = "/chat/completions"
    reserved = frozenset(("messages", "stream", "stream_options", "n", "response_format"))

    def __init__(self, config: OpenAIChatConfig) -> None:
        self._config = config

    def headers(self, api_key: str | None) -> dict[str, str]:
        """Return the key as a bearer token."""
        return {} if api_key is None else {"Authorization": f"Bearer {api_key}"}

    def request(self, call: AgentCall) -> dict[str, Any]:
        """Return the request, without the parameters of the step."""
        config = self._config
        messages = [{"role": "system", "content": config.system}] if config.system else []
        request: dict[str, Any] = {
            "model": config.model,
            "messages": [*messages, {"role": "user", "content": text_of(call.message)}],
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

    def measure(self, body: dict[str, Any]) -> Measured:
        """Return the reported usage. Raises AnswerMalformed."""
        return measure_openai(body.get("usage"), body.get("model"), body.get("service_tier"))

    def read(self, body: dict[str, Any], measured: Measured) -> Answer:
        """Return the answer in the first choice. Raises AnswerMalformed."""
        choices = body.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, dict) else None
        if not isinstance(choice, dict) or not isinstance(message, dict):
            raise AnswerMalformed("choices[0].message is missing")
        text = _text(message.get("content"))
        if text is None:
            said = message.get("refusal")
            if isinstance(said, str) and said:
                return refusal(said, measured)
            reason = choice.get("finish_reason")
            raise AnswerMalformed(f"choices[0].message.content is not a text (finish_reason {str(reason)[:40]})")
        return completed(text, measured, self._config)

    def fold(self) -> ChatFold:
        """Return an empty fold of chunks."""
        return ChatFold()


def _text(content: Any) -> str | None:
    """Return the text of a message, which some servers send in parts."""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(text for text in texts if isinstance(text, str)) if texts else None
    return content if isinstance(content, str) else None
