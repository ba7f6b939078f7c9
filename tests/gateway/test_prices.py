"""Public prices: those of the package as installed, for exactly the provider and the model that are named."""

from datetime import UTC, datetime
from decimal import Decimal

import genai_prices
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.costs.calculator import amount_of
from domain.costs.usage import TokenClasses
from gateway.prices import PublicPrices

AT = datetime(2026, 11, 1, tzinfo=UTC)
TABLE = PublicPrices()
MODELS = [
    ("openai", "gpt-4o"),
    ("openai", "gpt-5"),
    ("anthropic", "claude-sonnet-4-5"),
    ("google", "gemini-2.5-pro"),
    ("deepseek", "deepseek-chat"),
    ("mistral", "mistral-large-latest"),
]
COUNT = st.integers(0, 400_000)


@settings(max_examples=60)
@given(st.sampled_from(MODELS), COUNT, COUNT, COUNT, COUNT)
def test_the_amount_is_the_one_of_the_package(
    named: tuple[str, str], fresh: int, read: int, output: int, reasoning: int
) -> None:
    provider, model = named
    tokens = TokenClasses(fresh, read, output=max(output, reasoning), reasoning=min(output, reasoning))
    found = TABLE.find(provider, model, AT, "", tokens.all_input)
    assert found.prices is not None
    usage = genai_prices.Usage(
        input_tokens=tokens.all_input,
        cache_read_tokens=read,
        output_tokens=tokens.output,
        output_reasoning_tokens=tokens.reasoning,
    )
    priced = genai_prices.calc_price(usage, model, provider_id=provider, genai_request_timestamp=AT)
    assert amount_of(tokens, {}, found.prices).amount == priced.total_price
    assert found.source == f"genai-prices {genai_prices.__version__}"


@pytest.mark.parametrize(
    ("provider", "model", "tier", "flag"),
    [
        ("openai", "no-such-model", "", "price_missing"),
        ("no-such-provider", "gpt-4o", "", "price_missing"),
        ("my-openai-proxy", "gpt-4o", "", "price_missing"),
        ("litellm", "openai/gpt-4o", "", "price_missing"),
        ("openai", "gpt-4.1", "no-such-tier", "tier_unpriced"),
    ],
)
def test_no_price_is_guessed(provider: str, model: str, tier: str, flag: str) -> None:
    found = TABLE.find(provider, model, AT, tier, 10)
    assert (found.prices, found.flag) == (None, flag)


def test_a_tier_has_prices_of_its_own() -> None:
    prices = [TABLE.find("openai", "gpt-4.1", AT, tier, 10).prices for tier in ("", "priority")]
    assert [each and each.input for each in prices] == [Decimal("2"), Decimal("3.5")]


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://api.anthropic.com", "anthropic"),
        ("https://api.openai.com.evil.example/v1", ""),
        ("https://models.example/v1", ""),
        ("http://127.0.0.1:8080/v1", ""),
    ],
)
def test_the_host_of_an_address_names_the_provider(url: str, provider: str) -> None:
    assert TABLE.provider_of(url) == provider
