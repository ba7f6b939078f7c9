"""The usage in answers, by the contract of each kind of agent: counts, disjoint classes of tokens, other units.

A count that cannot be is never corrected: the use is flagged and keeps its report, and no price applies to it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from domain.agents.calls import Usage
from domain.costs.usage import USAGE_IMPOSSIBLE, WRITE_TERM_ASSUMED, Metered, TokenClasses
from gateway.failures import AnswerMalformed

# More tokens than this in one answer are a mistake of the agent; sums of them stay far below what a bigint holds.
MOST_TOKENS = 10**12
MOST_UNITS = 50
LONGEST_NAME = 200


class Measured(NamedTuple):
    """The usage as it is counted, and what is known of it beyond plain counts; None: no more."""

    usage: Usage | None = None
    metered: Metered | None = None


class _Counts:
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


def measure_ours(reported: Any, *, strict: bool = False) -> Measured:
    """Return the usage of our own contract, in which the input includes cached tokens and the output the reasoning.

    strict: a count that cannot be is refused, not flagged. Raises AnswerMalformed for what is not an object.
    """
    if reported is None:
        return Measured()
    report = _object(reported)
    counts = _Counts(strict)
    into, out = _inside(report, "input_tokens_details", "prompt_tokens_details"), _details_of_output(report)
    tokens = _classes(
        counts,
        all_input=counts.first(report, "input_tokens", "prompt_tokens"),
        read=counts.first({**report, **_only(into, "cached_tokens")}, "cache_read_tokens", *_READ),
        write_5m=counts.first(report, "cache_write_5m_tokens"),
        write_1h=counts.first(report, "cache_write_1h_tokens"),
        unnamed=counts.first(into, "cache_write_tokens"),
        output=counts.first(report, "output_tokens", "completion_tokens"),
        reasoning=counts.first({**out, **_only(report, "reasoning_tokens")}, "reasoning_tokens"),
    )
    metered = Metered(
        provider=_name(report, "provider"),
        model=_name(report, "model"),
        usage_id=_name(report, "usage_id"),
        units=_units(counts, report.get("units")),
    )
    return _measured(counts, tokens, into.get("cache_write_tokens"), report, metered)


def measure_openai(reported: Any, model: Any, tier: Any) -> Measured:
    """Return the usage of a chat completion, or of a response: cached and written tokens are inside the input."""
    if reported is None:
        return _measured_none(model, tier)
    report, counts = _object(reported), _Counts(strict=False)
    into, out = _inside(report, "input_tokens_details", "prompt_tokens_details"), _details_of_output(report)
    audio_in, audio_out = counts.first(into, "audio_tokens"), counts.first(out, "audio_tokens")
    all_input = counts.first(report, "input_tokens", "prompt_tokens")
    output = counts.first(report, "output_tokens", "completion_tokens")
    counts.impossible |= audio_in > all_input or audio_out > output
    tokens = _classes(
        counts,
        all_input=max(0, all_input - audio_in),
        read=counts.first({**report, **_only(into, "cached_tokens")}, *_READ),
        unnamed=counts.first(into, "cache_write_tokens"),
        output=max(0, output - audio_out),
        reasoning=counts.first(out, "reasoning_tokens"),
    )
    audio = {"input_audio_tokens": audio_in, "output_audio_tokens": audio_out}
    units = {name: count for name, count in audio.items() if count}
    metered = Metered(model=_text(model), tier=_text(tier), units=units)
    return _measured(counts, tokens, into.get("cache_write_tokens"), report, metered, audio_in, audio_out)


def measure_anthropic(reported: Any, model: Any) -> Measured:
    """Return the usage of a message: cached and written tokens are beside the input."""
    if reported is None:
        return _measured_none(model, None)
    report, counts = _object(reported), _Counts(strict=False)
    terms, out = _inside(report, "cache_creation"), _inside(report, "output_tokens_details")
    read = counts.first(report, "cache_read_input_tokens")
    written = counts.first(report, "cache_creation_input_tokens")
    write_5m = counts.first(terms, "ephemeral_5m_input_tokens")
    write_1h = counts.first(terms, "ephemeral_1h_input_tokens")
    if "cache_creation_input_tokens" not in report:
        written = write_5m + write_1h
    counts.impossible |= write_5m + write_1h > written
    unnamed = max(0, written - write_5m - write_1h)
    tokens = _classes(
        counts,
        all_input=counts.first(report, "input_tokens") + read + write_5m + write_1h + unnamed,
        read=read,
        write_5m=write_5m,
        write_1h=write_1h,
        unnamed=unnamed,
        output=counts.first(report, "output_tokens"),
        reasoning=counts.first(out, "thinking_tokens"),
    )
    searches = counts.first(_inside(report, "server_tool_use"), "web_search_requests")
    speed = _text(report.get("speed"))
    tier = speed if speed not in ("", "standard") else _text(report.get("service_tier"))
    metered = Metered(model=_text(model), tier=tier, units={"web_searches": searches} if searches else {})
    return _measured(counts, tokens, unnamed, report, metered)


_READ = ("cached_tokens", "cache_read_input_tokens")


def classes_of(usage: Usage) -> TokenClasses:
    """Return the classes that plain counts state."""
    return TokenClasses(usage.input_tokens - usage.cached_tokens, usage.cached_tokens, output=usage.output_tokens)


def _classes(
    counts: _Counts,
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


def _measured(
    counts: _Counts,
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


def _measured_none(model: Any, tier: Any) -> Measured:
    named = Metered(model=_text(model), tier=_text(tier))
    return Measured(None, None if named == Metered() else named)


def _object(reported: Any) -> dict[str, Any]:
    if not isinstance(reported, dict):
        raise AnswerMalformed("usage is not an object")
    return reported


def _inside(report: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return next((inner for key in keys if isinstance(inner := report.get(key), dict)), {})


def _details_of_output(report: Mapping[str, Any]) -> dict[str, Any]:
    return _inside(report, "output_tokens_details", "completion_tokens_details")


def _only(report: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {key: report[key]} if report.get(key) is not None else {}


def _units(counts: _Counts, reported: Any) -> dict[str, int]:
    if reported is None:
        return {}
    if not isinstance(reported, dict) or len(reported) > MOST_UNITS or any(len(n) > LONGEST_NAME for n in reported):
        counts.first({"units": ""}, "units")
        return {}
    return {name: counts.first(reported, name) for name in reported if reported[name] is not None}


def _name(report: Mapping[str, Any], key: str) -> str:
    return _text(report.get(key))


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= LONGEST_NAME else ""
