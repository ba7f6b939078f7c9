"""The parts of every contract of usage: counts, disjoint classes of tokens, and the flags of what cannot be."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from domain.agents.calls import Usage
from domain.costs.flags import USAGE_IMPOSSIBLE, WRITE_TERM_ASSUMED
from domain.costs.usage import Metered, TokenClasses
from gateway.failures import AnswerMalformed

# More tokens than this in one answer are a mistake of the agent; sums of them stay far below what a bigint holds.
MOST_TOKENS = 10**12
LONGEST_NAME = 200
READ = ("cached_tokens", "cache_read_input_tokens")


class Measured(NamedTuple):
    """The usage as it is counted, and what is known of it beyond plain counts; None: no more."""

    usage: Usage | None = None
    metered: Metered | None = None


class ReportedCounts:
    """Reads counts. strict: refuses one that cannot be; else notes it."""

    def __init__(self, strict: bool) -> None:
        self._strict = strict
        self.impossible = False

    def first(self, reported: Mapping[str, Any], *keys: str) -> int:
        """Return the first count among `keys` that is stated; 0 if none is."""
        for key in keys:
            count = reported.get(key)
            if count is not None:
                if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST_TOKENS:
                    if self._strict:
                        raise AnswerMalformed(f"usage.{key} is not a whole number from 0 to {MOST_TOKENS}")
                    self.impossible = True
                    return 0
                return count
        return 0


def classes_of(usage: Usage) -> TokenClasses:
    """Return the classes that plain counts state."""
    return TokenClasses(usage.input_tokens - usage.cached_tokens, usage.cached_tokens, output=usage.output_tokens)


def disjoint(
    counts: ReportedCounts,
    *,
    all_input: int,
    read: int,
    write_5m: int = 0,
    write_1h: int = 0,
    unnamed: int = 0,
    output: int,
    reasoning: int,
) -> TokenClasses:
    """Return disjoint classes; unnamed: tokens written to a cache for an unknown term, which count as 5 minutes."""
    write_5m += unnamed
    fresh = all_input - read - write_5m - write_1h
    counts.impossible |= fresh < 0 or reasoning > output
    return TokenClasses(max(0, fresh), read, write_5m, write_1h, output, reasoning)


def measured(
    counts: ReportedCounts,
    tokens: TokenClasses,
    unnamed: Any,
    report: dict[str, Any],
    metered: Metered,
    audio_in: int = 0,
    audio_out: int = 0,
) -> Measured:
    if counts.impossible:
        flagged = Metered(
            provider=metered.provider,
            model=metered.model,
            usage_id=metered.usage_id,
            tier=metered.tier,
            flags=[USAGE_IMPOSSIBLE],
        )
        return Measured(Usage(raw=report), flagged)
    usage = Usage(tokens.all_input + audio_in, tokens.output + audio_out, tokens.cache_read, raw=report)
    flags = [WRITE_TERM_ASSUMED] if unnamed else []
    plain = metered == Metered() and classes_of(usage) == tokens and not flags
    if plain:
        return Measured(usage)
    return Measured(
        usage,
        Metered(
            provider=metered.provider,
            model=metered.model,
            usage_id=metered.usage_id,
            tier=metered.tier,
            units=metered.units,
            tokens=tokens,
            flags=flags,
        ),
    )


def without_usage(model: Any, tier: Any) -> Measured:
    named = Metered(model=text_of(model), tier=text_of(tier))
    return Measured(None, None if named == Metered() else named)


def report_of(reported: Any) -> dict[str, Any]:
    if not isinstance(reported, dict):
        raise AnswerMalformed("usage is not an object")
    return reported


def inside(report: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return next((inner for key in keys if isinstance(inner := report.get(key), dict)), {})


def details_of_output(report: Mapping[str, Any]) -> dict[str, Any]:
    return inside(report, "output_tokens_details", "completion_tokens_details")


def only(report: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {key: report[key]} if report.get(key) is not None else {}


def text_of(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= LONGEST_NAME else ""
