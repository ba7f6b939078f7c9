"""The form that registers an agent: the fields of each kind, and the configuration that their texts state."""

from collections.abc import Mapping
from typing import Any

import msgspec

from domain.jsonvalue import parse_json
from domain.refusal import Malformed, Problem
from web.controls import FormControl, problems_at


class AgentFormField(msgspec.Struct, frozen=True):
    """A field of a kind. kind: of its control. options: the words to choose from."""

    name: str
    hint: str
    kind: str = "text"
    required: bool = False
    options: tuple[str, ...] = ()


_LIMITS = (
    AgentFormField("max_open", "how many calls of it are open at once; empty: a share of each worker", "number"),
    AgentFormField("rate", 'how many calls begin in a period: {"calls": 60, "per": "1m"}; empty: any number', "json"),
    AgentFormField("tokens", 'how many tokens its calls use: {"per_minute": 90000}; empty: any number', "json"),
)
_HEADERS = AgentFormField("headers", 'an object, as JSON: {"Authorization": "Bearer ${NAME}"}; secrets by name', "json")
_DEADLINE = AgentFormField("deadline", "how long one call may take, as 30s; empty: the default of the kind")
_PROVIDER = AgentFormField("provider", "as price tables name it; empty: by the host of the address")
_SWITCH = ("true",)
_MODEL = (
    AgentFormField("model", "as the provider names it", required=True),
    AgentFormField("api_key", "the name of a secret, as ${NAME}"),
    AgentFormField("system", "instructions before every message"),
    AgentFormField("temperature", "0 to 2", "number"),
    AgentFormField("max_tokens", "of one answer", "number"),
    AgentFormField("json_mode", "what it answers with", "choice", options=("off", "object", "schema")),
    AgentFormField("stream", "true: it sends its answer piece by piece", "choice", options=_SWITCH),
    _HEADERS,
    _DEADLINE,
    *_LIMITS,
    _PROVIDER,
)
_SCRIPTS = ("echo", "json_echo", "fail", "flaky", "slow", "answers")
FIELDS: dict[str, tuple[AgentFormField, ...]] = {
    "http": (
        AgentFormField("url", "receives a POST for each attempt", required=True),
        AgentFormField("cancel_url", "receives a POST when an answer is no longer awaited"),
        _HEADERS,
        _DEADLINE,
        *_LIMITS,
        _PROVIDER,
    ),
    "openai_chat": (
        AgentFormField("base_url", "the address before /chat/completions", required=True),
        *_MODEL,
    ),
    "openai_responses": (
        AgentFormField("base_url", "the address before /responses; empty: https://api.openai.com/v1"),
        *_MODEL,
        AgentFormField("background", "true: it answers later, and a worker polls for it", "choice", options=_SWITCH),
    ),
    "anthropic": (
        AgentFormField("base_url", "the address before /messages; empty: https://api.anthropic.com/v1"),
        *_MODEL,
    ),
    "scripted": (
        AgentFormField("script", "what it does, without a network", "choice", required=True, options=_SCRIPTS),
        AgentFormField("delay", "passes before the answer, as 2s"),
        AgentFormField("answers", "for the script answers: a list, or an object by step, as JSON", "json"),
        AgentFormField("failures", "for the script flaky: how many attempts fail first", "number"),
        AgentFormField("error", 'for fail and flaky: {"code": "…", "message": "…"}', "json"),
        AgentFormField("usage", "counted, none, or tokens as JSON", "json"),
        AgentFormField("cost", 'of every call: {"amount": "0.01", "currency": "USD"}', "json"),
        AgentFormField("record", "a file to which each call adds its idempotency key"),
        *_LIMITS,
        _PROVIDER,
    ),
}
NAME = AgentFormField("name", "1 to 64 of a-z 0-9 . _ -", required=True)


def controls_of(kind: str, given: Mapping[str, str], problems: list[Problem]) -> list[FormControl]:
    """Return the controls of a kind with the texts `given`."""
    return [
        FormControl(
            field.name,
            field.name,
            field.kind,
            given.get(field.name, ""),
            [field.hint, *(["required"] if field.required else [])],
            required=field.required,
            options=[(option, option) for option in field.options],
            problems=problems_at(field.name, problems),
        )
        for field in (NAME, *FIELDS[kind])
    ]


def texts_of(config: Mapping[str, Any]) -> dict[str, str]:
    """Return a configuration as it stands in the form."""
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in config.items()
        if value is not None and value != {}
    }


def read_configuration(kind: str, given: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    """Return what the texts of a form state, and the problems of texts that are no JSON; empty ones state nothing."""
    config: dict[str, Any] = {"kind": kind}
    problems: list[Problem] = []
    for field in FIELDS[kind]:
        text = given.get(field.name, "").strip()
        if not text:
            continue
        config[field.name] = True if field.options == _SWITCH and text == "true" else text
        if field.kind in ("json", "number"):
            try:
                config[field.name] = parse_json(text.encode())
            except Malformed as malformed:
                if text[0] in '{["' or field.name in ("headers", "answers", "error", "cost", "rate", "tokens"):
                    problems.append(Problem("malformed", f"this is no JSON: {malformed.message}", field.name))
                    del config[field.name]
    return config, problems
