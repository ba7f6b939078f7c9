"""The usage of Anthropic's messages."""

from typing import Any

from domain.costs.usage import Metered
from gateway.usage.counts import Measured, ReportedCounts, disjoint, inside, measured, report_of, text_of, without_usage


def measure_anthropic(reported: Any, model: Any) -> Measured:
    """Return the usage of a message: cached and written tokens are beside the input."""
    if reported is None:
        return without_usage(model, None)
    report, counts = report_of(reported), ReportedCounts(strict=False)
    terms, out = inside(report, "cache_creation"), inside(report, "output_tokens_details")
    read = counts.first(report, "cache_read_input_tokens")
    written = counts.first(report, "cache_creation_input_tokens")
    write_5m = counts.first(terms, "ephemeral_5m_input_tokens")
    write_1h = counts.first(terms, "ephemeral_1h_input_tokens")
    if "cache_creation_input_tokens" not in report:
        written = write_5m + write_1h
    counts.impossible |= write_5m + write_1h > written
    unnamed = max(0, written - write_5m - write_1h)
    tokens = disjoint(
        counts,
        all_input=counts.first(report, "input_tokens") + read + write_5m + write_1h + unnamed,
        read=read,
        write_5m=write_5m,
        write_1h=write_1h,
        unnamed=unnamed,
        output=counts.first(report, "output_tokens"),
        reasoning=counts.first(out, "thinking_tokens"),
    )
    searches = counts.first(inside(report, "server_tool_use"), "web_search_requests")
    speed = text_of(report.get("speed"))
    tier = speed if speed not in ("", "standard") else text_of(report.get("service_tier"))
    metered = Metered(model=text_of(model), tier=tier, units={"web_searches": searches} if searches else {})
    return measured(counts, tokens, unnamed, report, metered)
