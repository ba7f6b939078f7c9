"""The configuration of each kind of agent that is a model."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from domain.agents.configuration import MINUTE, AgentConfiguration
from domain.agents.fields import AgentField, Headers, PositiveDuration, SecretField, Text, Url
from domain.refusal import Problem


def _json_mode(value: object) -> object:
    return {True: "object", False: "off"}[value] if isinstance(value, bool) else value


class ModelConfig(AgentConfiguration):
    """The fields of every kind that calls a model.

    api_key: a reference, ``${NAME}``. json_mode: ``off`` answers the text; ``object`` (or true) requests a JSON object,
    ``schema`` for an object that meets the step's output_schema, and both answer the parsed value. stream: the model
    sends its answer piece by piece, which keeps connections alive.
    """

    base_url: Url
    model: AgentField
    api_key: SecretField | None = None
    headers: Headers
    system: Text | None = None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=10**9)] | None = None
    json_mode: Annotated[Literal["off", "object", "schema"], BeforeValidator(_json_mode)] = "off"
    stream: bool | None = None
    deadline: PositiveDuration = MINUTE


class OpenAIChatConfig(ModelConfig):
    """A model behind an OpenAI-compatible ``{base_url}/chat/completions``."""

    kind: Literal["openai_chat"] = "openai_chat"


class OpenAIResponsesConfig(ModelConfig):
    """A model behind ``{base_url}/responses``. background: it answers later, and a worker polls for its response."""

    kind: Literal["openai_responses"] = "openai_responses"
    base_url: Url = "https://api.openai.com/v1"
    background: bool | None = None
    deadline: PositiveDuration = 10 * MINUTE

    def problems(self) -> list[Problem]:
        """Return the problems between fields."""
        if self.background and self.stream:
            return [Problem("not_applicable", "a response in the background is polled for, not streamed", "stream")]
        return []


class AnthropicConfig(ModelConfig):
    """A model behind ``{base_url}/messages``. max_tokens: the protocol requires it. Default: 4096."""

    kind: Literal["anthropic"] = "anthropic"
    base_url: Url = "https://api.anthropic.com/v1"
    deadline: PositiveDuration = 10 * MINUTE
