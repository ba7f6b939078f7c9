"""Models behind OpenAI's ``POST {base_url}/responses``."""

from typing import Any

from domain.agents.calls import AgentCall, Failed, StepError
from domain.agents.kinds import OpenAIResponsesConfig
from gateway.failures import AnswerMalformed, refused
from gateway.models import message_of
from gateway.secrets import Disclosed
from gateway.streams import assemble_response
from gateway.usage.counts import Measured
from gateway.usage.openai import measure_openai


class OpenAIResponses:
    """The contract of responses."""

    reserved = frozenset(("input", "stream", "text", "background"))
    path = "/responses"
    assemble = staticmethod(assemble_response)

    def __init__(self, config: OpenAIResponsesConfig) -> None:
        self._config = config

    def headers(self, disclosed: Disclosed) -> dict[str, str]:
        """Return the key."""
        if self._config.api_key is None:
            return {}
        return {"Authorization": f"Bearer {disclosed.resolve(self._config.api_key)}"}

    def request(self, call: AgentCall) -> dict[str, Any]:
        """Return a request with the step's message as the input."""
        config = self._config
        request: dict[str, Any] = {"model": config.model, "input": message_of(call), "store": False}
        if config.system is not None:
            request["instructions"] = config.system
        if config.temperature is not None:
            request["temperature"] = config.temperature
        if config.max_tokens is not None:
            request["max_output_tokens"] = config.max_tokens
        if config.json_mode == "schema" and call.output_schema is not None:
            form = {"type": "json_schema", "name": call.step[:64], "schema": call.output_schema}
            request["text"] = {"format": form}
        elif config.json_mode != "off":
            request["text"] = {"format": {"type": "json_object"}}
        return request | ({"stream": True} if config.stream else {})

    def measure(self, answer: dict[str, Any]) -> Measured:
        """Return the usage of a response."""
        return measure_openai(answer.get("usage"), answer.get("model"), answer.get("service_tier"))

    def text(self, answer: dict[str, Any], measured: Measured) -> str | Failed:
        """Return the texts of a response, joined; a refusal is a permanent failure."""
        if answer.get("status") == "failed":
            stated = answer.get("error")
            message = stated.get("message") if isinstance(stated, dict) else None
            error = StepError("agent_error", f"the response failed: {str(message)[:500]}")
            return Failed(error, usage=measured.usage, metered=measured.metered)
        parts = _parts(answer.get("output"))
        texts = [part["text"] for part in parts if part.get("type") == "output_text"]
        refusals = [part["refusal"] for part in parts if part.get("type") == "refusal"]
        if not any(texts) and refusals:
            error = refused("agent_refused", f"the model refused: {str(refusals[0])[:500]}").error
            return Failed(error, usage=measured.usage, metered=measured.metered)
        if not texts or not all(isinstance(text, str) for text in texts):
            raise AnswerMalformed(f"output holds no text (status {str(answer.get('status'))[:40]})")
        return "".join(texts)


def _parts(output: Any) -> list[dict[str, Any]]:
    """Return the parts of all messages of a response."""
    items = [each for each in output if isinstance(each, dict)] if isinstance(output, list) else []
    contents = [each.get("content") for each in items if each.get("type") == "message"]
    found = [part for content in contents if isinstance(content, list) for part in content if isinstance(part, dict)]
    keys = {"output_text": "text", "refusal": "refusal"}
    return [part for part in found if keys.get(str(part.get("type")), "") in part]
