"""The configuration of each kind of agent, and the reader of configurations from outside."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from domain.agents.configuration import MINUTE, AgentConfiguration
from domain.agents.fields import (
    Headers,
    PositiveDuration,
    Url,
)
from domain.agents.models import AnthropicConfig, OpenAIChatConfig, OpenAIResponsesConfig
from domain.agents.problems import problems_of
from domain.agents.scripted import ScriptedConfig
from domain.identity import AGENT_NAME
from domain.jsonvalue import storable_problems
from domain.refusal import Malformed, Problem


class HttpConfig(AgentConfiguration):
    """An agent behind the JSON contract of ``gateway.http``. deadline: for one call, unless it answers 202 before.

    cancel_url: receives a POST for each attempt that the agent took to answer later and whose answer is no longer
    awaited.
    """

    kind: Literal["http"] = "http"
    url: Url
    cancel_url: Url | None = None
    headers: Headers
    deadline: PositiveDuration = MINUTE


TypedConfig = ScriptedConfig | HttpConfig | OpenAIChatConfig | OpenAIResponsesConfig | AnthropicConfig
AgentConfig = Annotated[TypedConfig, Field(discriminator="kind")]
KINDS: dict[str, type[AgentConfiguration]] = {
    "scripted": ScriptedConfig,
    "http": HttpConfig,
    "openai_chat": OpenAIChatConfig,
    "openai_responses": OpenAIResponsesConfig,
    "anthropic": AnthropicConfig,
}
_CONFIG: TypeAdapter[TypedConfig] = TypeAdapter(AgentConfig)


def parse_agent(name: str, body: object) -> dict[str, Any]:
    """Return the canonical configuration of the agent `name` that the JSON value `body` describes: defaults filled in.

    Raises Malformed with every Problem; no message repeats a value that may be secret.
    """
    problems = []
    if not isinstance(name, str) or not AGENT_NAME.fullmatch(name):
        message = "the name of an agent is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit"
        problems.append(Problem("invalid_name", message, "name"))
    try:
        config = read_agent(body)
    except Malformed as malformed:
        problems.extend(malformed.problems)
    if problems:
        raise Malformed(f"the agent cannot be registered: {problems[0].message}", problems)
    canonical: dict[str, Any] = config.model_dump(mode="json", exclude_none=True)
    if isinstance(config, ScriptedConfig) and config.answers is not None:
        canonical["answers"] = config.answers  # a null inside an answer is an answer
    return canonical


def read_agent(body: object) -> TypedConfig:
    """Return the configuration that `body` describes, typed. Raises Malformed with every Problem."""
    if not isinstance(body, dict):
        raise _malformed([Problem("wrong_type", f"a configuration is an object, not {type(body).__name__}")])
    try:
        config = _CONFIG.validate_python(body)
    except ValidationError as error:
        raise _malformed(problems_of(error, body, KINDS)) from None
    problems = config.problems()
    problems += storable_problems(body)
    if problems:
        raise _malformed(problems)
    return config


def _malformed(problems: list[Problem]) -> Malformed:
    return Malformed(f"the configuration is not well formed: {problems[0].message}", problems)
