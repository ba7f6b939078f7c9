"""The usage of our own contract: of agents over HTTP, scripted ones, and call-backs."""

from typing import Any

from domain.costs.usage import Metered
from gateway.usage.counts import (
    LONGEST_NAME,
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
)

MOST_UNITS = 50


def measure_ours(reported: Any, *, strict: bool = False) -> Measured:
    """Return the usage of our own contract, in which the input includes cached tokens and the output the reasoning.

    strict: a count that cannot be is refused, not flagged. Raises AnswerMalformed for what is not an object.
    """
    if reported is None:
        return Measured()
    report = report_of(reported)
    counts = ReportedCounts(strict)
    into, out = inside(report, "input_tokens_details", "prompt_tokens_details"), details_of_output(report)
    tokens = disjoint(
        counts,
        all_input=counts.first(report, "input_tokens", "prompt_tokens"),
        read=counts.first({**report, **only(into, "cached_tokens")}, "cache_read_tokens", *READ),
        write_5m=counts.first(report, "cache_write_5m_tokens"),
        write_1h=counts.first(report, "cache_write_1h_tokens"),
        unnamed=counts.first(into, "cache_write_tokens"),
        output=counts.first(report, "output_tokens", "completion_tokens"),
        reasoning=counts.first({**out, **only(report, "reasoning_tokens")}, "reasoning_tokens"),
    )
    metered = Metered(
        provider=text_of(report.get("provider")),
        model=text_of(report.get("model")),
        usage_id=text_of(report.get("usage_id")),
        units=_units(counts, report.get("units")),
    )
    return measured(counts, tokens, into.get("cache_write_tokens"), report, metered)


def _units(counts: ReportedCounts, reported: Any) -> dict[str, int]:
    if reported is None:
        return {}
    if not isinstance(reported, dict) or len(reported) > MOST_UNITS or any(len(n) > LONGEST_NAME for n in reported):
        counts.first({"units": ""}, "units")
        return {}
    return {name: counts.first(reported, name) for name in reported if reported[name] is not None}
