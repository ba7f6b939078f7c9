"""The usage of OpenAI's contracts: chat completions and responses."""

from typing import Any

from domain.costs.usage import Metered
from gateway.usage.counts import (
    READ,
    Measured,
    ReportedCounts,
    details_of_output,
    disjoint,
    inside,
    measured,
    only,
    report_of,
    text_of,
    without_usage,
)


def measure_openai(reported: Any, model: Any, tier: Any) -> Measured:
    """Return the usage of a chat completion, or of a response: cached and written tokens are inside the input."""
    if reported is None:
        return without_usage(model, tier)
    report, counts = report_of(reported), ReportedCounts(strict=False)
    into, out = inside(report, "input_tokens_details", "prompt_tokens_details"), details_of_output(report)
    audio_in, audio_out = counts.first(into, "audio_tokens"), counts.first(out, "audio_tokens")
    all_input = counts.first(report, "input_tokens", "prompt_tokens")
    output = counts.first(report, "output_tokens", "completion_tokens")
    counts.impossible |= audio_in > all_input or audio_out > output
    tokens = disjoint(
        counts,
        all_input=max(0, all_input - audio_in),
        read=counts.first({**report, **only(into, "cached_tokens")}, *READ),
        unnamed=counts.first(into, "cache_write_tokens"),
        output=max(0, output - audio_out),
        reasoning=counts.first(out, "reasoning_tokens"),
    )
    audio = {"input_audio_tokens": audio_in, "output_audio_tokens": audio_out}
    units = {name: count for name, count in audio.items() if count}
    metered = Metered(model=text_of(model), tier=text_of(tier), units=units)
    return measured(counts, tokens, into.get("cache_write_tokens"), report, metered, audio_in, audio_out)
