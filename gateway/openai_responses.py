"""The dialect of OpenAI's ``POST {base_url}/responses``."""

from typing import Any

from domain.agents.calls import AgentCall, Answer, Failed, StepError
from domain.agents.models import OpenAIResponsesConfig
from gateway.failures import AnswerMalformed, refused
from gateway.model import completed, refusal, text_of
from gateway.usage.counts import Measured
from gateway.usage.openai import measure_openai

_LAST = frozenset(("response.completed", "response.failed", "response.incomplete"))
_RETRIABLE = {"rate_limit_exceeded": "agent_rate_limited", "server_error": "agent_error"}


class OpenAIResponses:
    """Implements `Dialect`."""

    path = "/responses"
    reserved = frozenset(("input", "stream", "background", "text", "store", "previous_response_id", "conversation"))

    def __init__(self, config: OpenAIResponsesConfig) -> None:
        self._config = config

    def headers(self, api_key: str | None) -> dict[str, str]:
        """Return the key as a bearer token."""
        return {} if api_key is None else {"Authorization": f"Bearer {api_key}"}

    def request(self, call: AgentCall) -> dict[str, Any]:
        """Return the request, without the parameters of the step."""
        config = self._config
        request: dict[str, Any] = {"model": config.model, "input": text_of(call.message)}
        if config.system:
            request["instructions"] = config.system
        if config.temperature is not None:
            request["temperature"] = config.temperature
        if config.max_tokens is not None:
            request["max_output_tokens"] = config.max_tokens
        if config.json_mode == "schema" and call.output_schema is not None:
            schema = {"type": "json_schema", "name": call.step[:64], "schema": call.output_schema}
            request["text"] = {"format": schema}
        elif config.json_mode != "off":
            request["text"] = {"format": {"type": "json_object"}}
        if config.background:
            request["background"] = True
        if config.stream:
            request["stream"] = True
        return request

    def measure(self, body: dict[str, Any]) -> Measured:
        """Return the reported usage. Raises AnswerMalformed."""
        return measure_openai(body.get("usage"), body.get("model"), body.get("service_tier"))

    def read(self, body: dict[str, Any], measured: Measured) -> Answer:
        """Return the answer of a response that has ended. Raises AnswerMalformed."""
        status = str(body.get("status", "completed"))[:40]
        if status == "failed":
            return Failed(_error(body.get("error")), usage=measured.usage, metered=measured.metered)
        if status not in ("completed", "incomplete"):
            raise AnswerMalformed(f"its status is {status}")
        parts = _parts(body.get("output"))
        said = next((part.get("refusal") for part in parts if part.get("type") == "refusal"), None)
        if isinstance(said, str):
            return refusal(said, measured)
        texts = [
            part["text"] for part in parts if part.get("type") == "output_text" and isinstance(part.get("text"), str)
        ]
        if not texts:
            details = body.get("incomplete_details")
            reason = details.get("reason") if isinstance(details, dict) else None
            raise AnswerMalformed(f"output holds no text (status {status}, reason {str(reason)[:40]})")
        return completed("".join(texts), measured, self._config)

    def fold(self) -> "ResponseFold":
        """Return an empty fold of the events of a response."""
        return ResponseFold()


class ResponseFold:
    """Keeps the response that the last event of a stream holds whole."""

    def __init__(self) -> None:
        self.complete = False
        self._response: dict[str, Any] = {}

    def add(self, event: dict[str, Any]) -> None:
        """Add an event; all but the last only repeat parts of it. Raises AnswerMalformed for the event of an error."""
        kind = event.get("type")
        if kind == "error":
            raise AnswerMalformed(f"the stream ended with an error, {str(event.get('code'))[:60]}")
        if kind in _LAST and isinstance(response := event.get("response"), dict):
            self._response = response
            self.complete = True

    def document(self) -> dict[str, Any]:
        """Return the response."""
        return self._response


def _parts(output: Any) -> list[dict[str, Any]]:
    """Return the parts of every message in an output. Raises AnswerMalformed."""
    if not isinstance(output, list):
        raise AnswerMalformed("output is missing")
    messages = [item for item in output if isinstance(item, dict) and item.get("type") == "message"]
    contents = [item["content"] for item in messages if isinstance(item.get("content"), list)]
    return [part for content in contents for part in content if isinstance(part, dict)]


def _error(error: Any) -> StepError:
    code = str(error.get("code"))[:60] if isinstance(error, dict) else "None"
    message = (
        f"the model failed: {str(error.get('message'))[:500]} ({code})" if isinstance(error, dict) else "it failed"
    )
    if code in _RETRIABLE:
        return StepError(_RETRIABLE[code], message)
    return refused("agent_refused", message).error
