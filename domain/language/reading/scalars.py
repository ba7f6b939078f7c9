"""The value of an unquoted scalar: the core schema of YAML 1.2, none of YAML 1.1 (`on`, `yes`, `09:00` are text)."""

import math
import re

from domain.jsonvalue import LARGEST_INTEGER, SMALLEST_INTEGER

MERGE_KEY = "<<"
NULL = re.compile(r"(?:null|Null|NULL|~|)\Z")
BOOLEAN = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
INTEGER = re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z")
NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")

_LONGEST_INTEGER = 40


class OutOfRange(ValueError):
    """A number that cannot be kept; the message gives the reason."""


def resolve(text: str) -> str | int | float | bool | None:
    """Return the value of an unquoted scalar.

    Raises OutOfRange for integers beyond 64 bits and floats that are not finite.
    """
    if NULL.match(text):
        return None
    if BOOLEAN.match(text):
        return text[0] in "tT"
    if INTEGER.match(text):
        return _integer(text)
    if NUMBER.match(text):
        return _finite(float(text))
    if NOT_FINITE.match(text):
        raise OutOfRange("numbers are finite")
    return text


def _integer(text: str) -> int:
    digits = text.lstrip("+-").removeprefix("0o").removeprefix("0x").lstrip("0") or "0"
    if len(digits) > _LONGEST_INTEGER:
        raise OutOfRange("whole numbers fit into 64 bits")
    value = int(digits, 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10)
    value = -value if text.startswith("-") else value
    if not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        raise OutOfRange("whole numbers fit into 64 bits")
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise OutOfRange("the number is too large for a 64-bit float")
    return value
