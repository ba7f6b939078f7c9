"""The configuration of each kind of agent, and the reader of configurations from outside."""

from datetime import timedelta
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, TypeAdapter, ValidationError

from domain.agents.fields import (
    AgentDuration,
    AgentField,
    Answers,
    Config,
    Cost,
    Headers,
    MaxOpenCalls,
    PositiveDuration,
    ProviderName,
    SecretField,
    Text,
    Tokens,
    Url,
)
from domain.agents.problems import problems_of
from domain.identity import AGENT_NAME
from domain.jsonvalue import storable_problems
from domain.refusal import Malformed, Problem

MINUTE = timedelta(seconds=60)


def _absolute(path: str) -> str:
    if not PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError("the path of a file is absolute and has no ..")
    return path


def _usage_mode(value: object) -> object:
    return "none" if value is None else value


def _json_mode(value: object) -> object:
    return {True: "object", False: "off"}[value] if isinstance(value, bool) else value


def _usage_form(value: object) -> str:
    return "usage as a word" if isinstance(value, str) else "usage in numbers"


class ScriptedError(Config):
    """The answer of a failing script."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")] = "agent_error"
    message: Text = "the script says so"
    permanent: bool = False
    retry_after: AgentDuration | None = None


class AgentConfiguration(Config):
    """The fields of every kind of agent.

    max_open: how many calls of the agent each worker has open at once. Default: a share of the calls of the worker.
    provider: of the model, as price tables name it. Default: by the host of the address, if it is a known one.
    """

    max_open: MaxOpenCalls | None = None
    provider: ProviderName | None = None


class ScriptedConfig(AgentConfiguration):
    """An agent that runs inside the worker and uses no network.

    script: ``echo`` answers the message; ``json_echo`` answers ``{agent, step, attempt, message, parameters}``;
    ``fail`` fails with `error`; ``flaky`` fails its first `failures` attempts (default 1), then echoes; ``slow`` echoes
    after `delay` (default 1s); ``answers`` answers from `answers`: of a list the item of the attempt (after its end the
    last one again), of an object the value under the step's id, else the one under ``*``.
    usage: ``counted`` (made up but exact: the words of message and answer, see ``gateway.scripted``), ``none`` or null,
    or fixed counts. cost: reported for every call. delay: passes before the answer. record: absolute path of a file to
    which every call appends its idempotency key and a line feed.
    """

    kind: Literal["scripted"] = "scripted"
    script: Literal["echo", "json_echo", "fail", "flaky", "slow", "answers"]
    usage: Annotated[
        Annotated[Literal["counted", "none"], Tag("usage as a word")] | Annotated[Tokens, Tag("usage in numbers")],
        Discriminator(_usage_form),
        BeforeValidator(_usage_mode),
    ] = "counted"
    cost: Cost | None = None
    delay: AgentDuration | None = None
    answers: Answers = None
    error: ScriptedError | None = None
    failures: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    record: Annotated[Text, AfterValidator(_absolute)] | None = None

    def problems(self) -> list[Problem]:
        """Return the problems between fields."""
        problems = []
        if self.script == "answers" and not self.answers:
            problems.append(Problem("missing", "the script answers needs at least one answer", "answers"))
        for key, scripts in _ONLY_WITH.items():
            if getattr(self, key) is not None and self.script not in scripts:
                problems.append(
                    Problem("not_applicable", f"{key} means something to {' and '.join(scripts)} only", key)
                )
        return problems


_ONLY_WITH = {"answers": ("answers",), "error": ("fail", "flaky"), "failures": ("flaky",)}


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


class OpenAIChatConfig(AgentConfiguration):
    """A model behind an OpenAI-compatible ``{base_url}/chat/completions``.

    api_key: a reference, ``${NAME}``. json_mode: ``off`` answers the text; ``object`` (or true) requests a JSON object,
    ``schema`` for an object that meets the step's output_schema, and both answer the parsed value.
    stream: the server sends its answer in pieces.
    """

    kind: Literal["openai_chat"] = "openai_chat"
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


class OpenAIResponsesConfig(AgentConfiguration):
    """A model behind OpenAI's ``{base_url}/responses``; the fields are those of `OpenAIChatConfig`."""

    kind: Literal["openai_responses"] = "openai_responses"
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


class AnthropicConfig(AgentConfiguration):
    """A model behind Anthropic's ``{base_url}/v1/messages``.

    max_tokens: of an answer. api_version: of the contract. json_mode: ``object`` answers the value that the text holds.
    """

    kind: Literal["anthropic"] = "anthropic"
    base_url: Url = "https://api.anthropic.com"
    model: AgentField
    api_key: SecretField | None = None
    headers: Headers
    system: Text | None = None
    temperature: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=10**9)] = 4096
    json_mode: Annotated[Literal["off", "object"], BeforeValidator(_json_mode)] = "off"
    stream: bool | None = None
    api_version: AgentField = "2023-06-01"
    deadline: PositiveDuration = MINUTE


Configuration = ScriptedConfig | HttpConfig | OpenAIChatConfig | OpenAIResponsesConfig | AnthropicConfig
AgentConfig = Annotated[Configuration, Field(discriminator="kind")]
KINDS: dict[str, type[AgentConfiguration]] = {
    "scripted": ScriptedConfig,
    "http": HttpConfig,
    "openai_chat": OpenAIChatConfig,
    "openai_responses": OpenAIResponsesConfig,
    "anthropic": AnthropicConfig,
}
_CONFIG: TypeAdapter[Configuration] = TypeAdapter(AgentConfig)


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


def read_agent(body: object) -> Configuration:
    """Return the configuration that `body` describes, typed. Raises Malformed with every Problem."""
    if not isinstance(body, dict):
        raise _malformed([Problem("wrong_type", f"a configuration is an object, not {type(body).__name__}")])
    try:
        config = _CONFIG.validate_python(body)
    except ValidationError as error:
        raise _malformed(problems_of(error, body, KINDS)) from None
    problems = config.problems() if isinstance(config, ScriptedConfig) else []
    problems += storable_problems(body)
    if problems:
        raise _malformed(problems)
    return config


def _malformed(problems: list[Problem]) -> Malformed:
    return Malformed(f"the configuration is not well formed: {problems[0].message}", problems)
