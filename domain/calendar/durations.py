"""Lengths of time as people write them: ``500ms``, ``30s``, ``1h30m``, ``PT1H30M``, or a number of seconds."""

import re
from datetime import timedelta
from decimal import Decimal

MICROSECONDS = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000}
LONGEST = timedelta(days=36_500)

_PART = r"\d{1,18}(?:\.\d{1,9})?"
_SHORT = re.compile("".join(rf"(?:({_PART}){unit}(?![a-z])\s*)?" for unit in MICROSECONDS), re.ASCII)
_ISO = re.compile(
    rf"P(?:({_PART})W)?(?:({_PART})D)?(?:T(?=\d)(?:({_PART})H)?(?:({_PART})M)?(?:({_PART})S)?)?", re.ASCII
)
_ISO_UNITS = (7 * MICROSECONDS["d"], *(MICROSECONDS[unit] for unit in "dhms"))
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,9})?", re.ASCII)
_NEGATIVE = "a duration is not negative"
_TOO_LONG = f"a duration is at most {LONGEST.days} days"
_EXAMPLES = "a duration is written like 500ms, 30s, 5m, 2h, 1d, 1h30m, PT1H30M, or as a number of seconds"


def parse_duration(value: object) -> timedelta:
    """Return the length of time that `value` names; a day is 24 hours, a bare number counts seconds.

    Raises ValueError with a message for people: not a duration, negative, finer than a microsecond, over 36,500 days.
    """
    if isinstance(value, timedelta):
        return _bounded(Decimal(value // timedelta(microseconds=1)))
    if isinstance(value, str):
        return _read(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{_EXAMPLES}, not {type(value).__name__}")
    if isinstance(value, int) and abs(value) > LONGEST.total_seconds():
        # Checked before the conversion to text: Python refuses to write very long integers.
        raise ValueError(_TOO_LONG if value > 0 else _NEGATIVE)
    seconds = Decimal(str(value))
    if not seconds.is_finite():
        raise ValueError(_EXAMPLES)
    return _bounded(seconds * MICROSECONDS["s"])


def print_duration(duration: timedelta) -> str:
    """Return the shortest written form, which `parse_duration` reads as exactly `duration`: ``1h30m``, ``0s``."""
    left = duration // timedelta(microseconds=1)
    if left < 0:
        raise ValueError(_NEGATIVE)
    parts = []
    for unit, size in MICROSECONDS.items():
        if unit == "ms":
            amount = Decimal(left) / size
            if amount:
                parts.append(f"{amount.normalize():f}ms")
        else:
            count, left = divmod(left, size)
            if count:
                parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _read(text: str) -> timedelta:
    if not text or len(text) > 80:
        raise ValueError(_EXAMPLES)
    if text[0] == "P":
        return _sum(_ISO.fullmatch(text), _ISO_UNITS)
    if _NUMBER.fullmatch(text):
        return _bounded(Decimal(text) * MICROSECONDS["s"])
    return _sum(_SHORT.fullmatch(text), tuple(MICROSECONDS.values()))


def _sum(match: re.Match[str] | None, units: tuple[int, ...]) -> timedelta:
    if match is None or not any(match.groups()):
        raise ValueError(_EXAMPLES)
    return _bounded(
        sum((Decimal(part) * unit for part, unit in zip(match.groups(), units, strict=True) if part), Decimal())
    )


def _bounded(microseconds: Decimal) -> timedelta:
    if microseconds < 0:
        raise ValueError(_NEGATIVE)
    if microseconds > LONGEST // timedelta(microseconds=1):
        raise ValueError(_TOO_LONG)
    if microseconds != int(microseconds):
        raise ValueError("a duration is not finer than a microsecond")
    return timedelta(microseconds=int(microseconds))
