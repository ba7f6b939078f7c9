"""How a value is written: in text, as a literal of an expression, and inside a quoted text of one."""

import json
import re
from decimal import Decimal

from domain.jsonvalue import JsonValue

_QUOTE = "'"
_BETWEEN_BRACES = re.compile(r"(?<=\{)(?=\{)")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def as_text(value: JsonValue, kind: str) -> str:
    """Return a value as text: money as ``5.00 USD``, a list or an object as JSON, null as nothing."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if kind == "money" and isinstance(value, dict):
        return f"{value.get('amount')} {value.get('currency')}"
    return json.dumps(value, ensure_ascii=False)


def as_literal(value: JsonValue, kind: str) -> str:
    """Return a value as a literal of the expression language: an amount as its number, an object as quoted JSON."""
    if kind == "money" and isinstance(value, dict):
        return plain_number(str(value.get("amount")))
    match value:
        case None | bool() | int() | float():
            return json.dumps(value)
        case list():
            return f"[{', '.join(_json(item) if isinstance(item, list) else as_literal(item, '') for item in value)}]"
        case str():
            return _literal_text(value)
        case dict():
            return _json(value)


def as_quoted(text: str, quote: str) -> str:
    """Return a text as it stands between quotes of the expression language."""
    return "".join(f"\\{each}" if each == quote else _ESCAPES.get(each, each) for each in text)


def _literal_text(text: str) -> str:
    """Return a text in quotes; in pieces, if it holds what a condition takes for a path in quotes."""
    if "{{" not in text or "}}" not in text:
        return f"'{as_quoted(text, _QUOTE)}'"
    pieces = ", ".join(f"'{as_quoted(piece, _QUOTE)}'" for piece in _BETWEEN_BRACES.split(text))
    return f"([{pieces}] | join(''))"


def _json(value: JsonValue) -> str:
    return as_literal(json.dumps(value, ensure_ascii=False), "")


def plain_number(amount: str) -> str:
    """Return a decimal amount as digits, which an expression reads as a number."""
    return format(Decimal(amount), "f").removeprefix("+")
