"""Usage by the contract of each kind: disjoint classes, and flags for what is missing, impossible or assumed."""

from decimal import Decimal
from typing import Any

import pytest

from domain.agents.calls import Usage
from domain.costs.usage import Metered, TokenClasses
from gateway.failures import AnswerMalformed
from gateway.usage.anthropic import measure_anthropic
from gateway.usage.counts import Measured
from gateway.usage.openai import measure_openai
from gateway.usage.ours import measure_ours


def test_ours_counts_cached_tokens_inside_the_input_and_reasoning_inside_the_output():
    report = {
        "input_tokens": 100,
        "output_tokens": 50,
        "cache_read_tokens": 20,
        "cache_write_5m_tokens": 10,
        "cache_write_1h_tokens": 5,
        "reasoning_tokens": 30,
        "units": {"pages": 3},
        "provider": "house",
        "model": "m",
        "usage_id": "u-1",
    }
    metered = Metered(
        provider="house", model="m", usage_id="u-1", units={"pages": 3}, tokens=TokenClasses(65, 20, 10, 5, 50, 30)
    )
    assert measure_ours(report) == Measured(Usage(100, 50, 20, raw=report), metered)


def test_a_chat_completion_counts_as_ours_and_names_its_model_and_tier():
    report = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 9_999,
        "prompt_tokens_details": {"cached_tokens": 40, "audio_tokens": 10},
        "completion_tokens_details": {"reasoning_tokens": 30},
        "provider": "not ours",
    }
    usage, metered = measure_openai(report, "gpt-5", "flex")
    assert usage == Usage(100, 50, 40, raw=report)
    tokens = TokenClasses(50, 40, output=50, reasoning=30)
    assert metered == Metered(model="gpt-5", tier="flex", units={"input_audio_tokens": 10}, tokens=tokens)


def test_a_message_counts_cached_tokens_beside_the_input():
    report = {
        "input_tokens": 10,
        "cache_read_input_tokens": 20,
        "cache_creation_input_tokens": 7,
        "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 3},
        "output_tokens": 5,
        "server_tool_use": {"web_search_requests": 2},
        "service_tier": "standard",
    }
    usage, metered = measure_anthropic(report, "claude-sonnet-4-5")
    assert usage == Usage(37, 5, 20, raw=report)
    assert metered is not None
    assert metered.tokens == TokenClasses(10, 20, 4, 3, 5)
    assert (metered.units, metered.tier, metered.flags) == ({"web_searches": 2}, "standard", [])


def test_written_tokens_without_a_term_count_as_five_minutes():
    metered = measure_anthropic({"input_tokens": 1, "cache_creation_input_tokens": 7}, "m").metered
    assert metered is not None
    assert (metered.tokens, metered.flags) == (TokenClasses(1, 0, 7), ["write_term_assumed"])


@pytest.mark.parametrize(
    "report",
    [
        {"input_tokens": -1},
        {"input_tokens": True},
        {"completion_tokens": 1.5},
        {"input_tokens": "12"},
        {"input_tokens": 4611686018427387904},
        {"input_tokens": 10, "cached_tokens": 11},
        {"input_tokens": 10, "cache_read_tokens": 6, "cache_write_1h_tokens": 5},
        {"output_tokens": 1, "reasoning_tokens": 2},
        {"units": {"pages": -1}},
        {"units": {"pages": 0.5}},
        {"units": 3},
    ],
)
def test_an_impossible_report_is_flagged_and_kept_as_sent(report: Any):
    usage, metered = measure_ours(report)
    assert usage == Usage(raw=report)
    assert metered is not None
    assert (metered.flags, metered.tokens) == (["usage_impossible"], None)


@pytest.mark.parametrize(
    "report",
    [
        {"input_tokens": 1, "cache_creation_input_tokens": 2, "cache_creation": {"ephemeral_5m_input_tokens": 3}},
        {"output_tokens": 1, "output_tokens_details": {"thinking_tokens": 2}},
        {"input_tokens": None, "output_tokens": "5"},
    ],
)
def test_an_impossible_message_is_flagged(report: Any):
    metered = measure_anthropic(report, "m").metered
    assert metered is not None
    assert metered.flags == ["usage_impossible"]


def test_a_message_may_have_read_more_from_a_cache_than_its_input():
    metered = measure_anthropic({"input_tokens": 1, "cache_read_input_tokens": 500}, "m").metered
    assert metered is not None
    assert metered.flags == []


@pytest.mark.parametrize("usage", [3, [1], "many"])
def test_what_is_not_an_object_is_malformed(usage: Any):
    with pytest.raises(AnswerMalformed):
        measure_ours(usage)


def test_the_step_goes_on_with_an_impossible_report(rig):
    rig.server.always(rig.response(200, {"output": "x", "usage": {"input_tokens": -7}, "cost": COST}))
    answer = rig.ask(rig.http())
    assert (answer.output, answer.metered.flags, answer.cost.amount) == ("x", ["usage_impossible"], Decimal("0.5"))


COST = {"amount": "0.5", "currency": "USD"}
