"""Answers of models in the forms that providers publish, whole and streamed: their text, their usage, their price."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from domain.agents.calls import Completed, Failed
from domain.costs.calculator import calculate
from domain.costs.prices import PriceList
from domain.costs.usage import TokenClasses
from gateway.prices import PublicPrices

RECORDED = Path(__file__).with_name("recorded")
AT = datetime(2026, 11, 1, tzinfo=UTC)
TABLE = PublicPrices()


def recorded(rig: Any, name: str, **config: Any) -> Any:
    """The answer to a call of an agent of the kind, to which its server replies with a recorded body."""
    kind, form = name.split(".")
    media_type = "text/event-stream" if form == "stream" else "application/json"
    rig.server.always(rig.response(200, (RECORDED / name).read_bytes(), content_type=media_type))
    model = {"kind": kind, "base_url": f"{rig.server.url}/v1", "model": "asked"}
    return rig.ask(rig.config(**model, stream=form == "stream", **config))


@pytest.mark.parametrize(
    ("name", "provider", "tokens", "tier", "amount"),
    [
        # 21 × 3 + 1024 × 0.30 + 188000 × 3.75 + 86 × 6 + 393 × 15, at the prices above 200,000 tokens if there are any
        ("anthropic.json", "anthropic", TokenClasses(21, 1024, 188_000, 86, 393), "standard", "0.7117812"),
        ("anthropic.stream", "anthropic", TokenClasses(472, 100, output=89), "standard", "0.002781"),
        # the prices of the tier priority: 3.5, 0.875 and 14
        (
            "openai_responses.json",
            "openai",
            TokenClasses(2600, 1000, output=870, reasoning=200),
            "priority",
            "0.022155",
        ),
        ("openai_responses.stream", "openai", TokenClasses(37, output=11), "default", "0.000162"),
        ("openai_chat.json", "openai", TokenClasses(876, 1024, output=10), "default", "0.002344"),
        ("openai_chat.stream", "openai", TokenClasses(19, output=10), "default", "0.000118"),
    ],
)
def test_the_text_the_usage_and_the_price_of_a_recorded_answer(
    rig: Any, name: str, provider: str, tokens: TokenClasses, tier: str, amount: str
) -> None:
    answer = recorded(rig, name)
    assert isinstance(answer, Completed)
    assert answer.output == "Rain is expected."
    assert answer.metered is not None
    assert (answer.metered.tokens, answer.metered.tier, answer.metered.flags) == (tokens, tier, [])
    priced = calculate(replace(answer.metered, provider=provider, called_at=AT), PriceList(), TABLE)
    assert priced.calculated is not None
    assert priced.calculated.amount == Decimal(amount)


def test_a_message_is_asked_for_in_the_providers_form(rig: Any) -> None:
    recorded(rig, "anthropic.json", system="Be brief.", max_tokens=50, api_version="2023-06-01")
    request = rig.server.requests[0]
    assert (request.path, request.headers["anthropic-version"]) == ("/v1/v1/messages", "2023-06-01")
    assert request.json == {
        "model": "asked",
        "max_tokens": 50,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "hello there"}],
    }


def test_a_response_is_asked_for_in_the_providers_form(rig: Any) -> None:
    recorded(rig, "openai_responses.json", system="Be brief.", max_tokens=50, temperature=0.5)
    request = rig.server.requests[0]
    assert request.path == "/v1/responses"
    assert request.json == {
        "model": "asked",
        "input": "hello there",
        "store": False,
        "instructions": "Be brief.",
        "temperature": 0.5,
        "max_output_tokens": 50,
    }


def test_a_stream_says_that_it_is_one_and_states_usage(rig: Any) -> None:
    recorded(rig, "openai_chat.stream")
    assert rig.server.requests[0].json["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        (
            "anthropic",
            {"content": [], "stop_reason": "max_tokens", "usage": {"input_tokens": 3}},
            "agent_answer_malformed",
        ),
        ("anthropic", {"content": [], "stop_reason": "refusal", "usage": {"input_tokens": 3}}, "agent_refused"),
        (
            "openai_responses",
            {"status": "failed", "error": {"message": "busy"}, "usage": {"input_tokens": 3}},
            "agent_error",
        ),
        (
            "openai_responses",
            {"status": "incomplete", "output": [], "usage": {"input_tokens": 3}},
            "agent_answer_malformed",
        ),
    ],
)
def test_what_a_failed_answer_used_is_known(rig: Any, kind: str, body: Any, code: str) -> None:
    rig.server.always(rig.response(200, body))
    answer = rig.ask(rig.config(kind=kind, base_url=rig.server.url, model="m"))
    assert isinstance(answer, Failed)
    assert (answer.error.code, answer.usage and answer.usage.input_tokens) == (code, 3)


def test_a_stream_that_breaks_off_is_no_answer(rig: Any) -> None:
    body = (RECORDED / "openai_responses.stream").read_bytes().split(b"event: response.completed")[0]
    rig.server.always(rig.response(200, body, content_type="text/event-stream"))
    answer = rig.ask(rig.config(kind="openai_responses", base_url=rig.server.url, model="m", stream=True))
    assert answer.error.code == "agent_answer_malformed"
