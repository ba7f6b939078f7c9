"""How an edit writes a value: in the style of the value before, plain where that is safe, else in quotes."""

import json
import math
import re

from domain.jsonvalue import LARGEST_INTEGER, SMALLEST_INTEGER, JsonValue
from domain.language.editing.changes import EditRefused
from domain.language.editing.spans import Span
from domain.language.reading.scalars import resolve

LONGEST_KEY = 500
_PLAIN = re.compile(r"[^\W\d_][\w./+-]*(?: [\w./+-]+)*\Z")
_PRINTABLE = re.compile("[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*\\Z")
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_HEADER = re.compile(r"[|>][-+0-9]*(?P<comment>[ \t]+#[^\r\n]*)?")


def write_value(value: JsonValue, *, json_only: bool) -> str:
    """Return a value on one line, objects and lists in brackets. json_only: the text is JSON and stays it.

    Raises EditRefused for numbers that a definition cannot hold and for keys that are too long.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            if not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
                raise EditRefused("whole numbers fit into 64 bits")
            return str(value)
        case float():
            if not math.isfinite(value):
                raise EditRefused("numbers are finite")
            return repr(value)
        case str():
            return write_text(value, json_only=json_only)
        case list():
            return f"[{', '.join(write_value(item, json_only=json_only) for item in value)}]"
        case dict():
            written = (
                f"{write_key(key, json_only=json_only)}: {write_value(item, json_only=json_only)}"
                for key, item in value.items()
            )
            return f"{{{', '.join(written)}}}"


def write_key(key: str, *, json_only: bool) -> str:
    """Return a key. Raises EditRefused if it is too long to stand on one line before its colon."""
    if len(key) > LONGEST_KEY:
        raise EditRefused(f"a key has at most {LONGEST_KEY} characters")
    return write_text(key, json_only=json_only)


def write_text(text: str, *, json_only: bool = False, style: str | None = None) -> str:
    """Return a text on one line. style: the quotes to keep, None for none; a text that needs double quotes has them."""
    if json_only or style == '"':
        return _quoted(text)
    if style is None and _PLAIN.match(text) and resolve(text) == text:
        return text
    if style == "'" and _PRINTABLE.match(text):
        return "'" + text.replace("'", "''") + "'"
    return _quoted(text)


def write_over(old: Span, value: JsonValue, source: str, *, json_only: bool) -> str:
    """Return what takes the place of the span `old` of `source`: a text keeps its quotes, or its block."""
    comment = ""
    if old.style in ("|", ">"):
        header = _HEADER.match(source, old.start)
        comment = (header["comment"] or "") if header is not None else ""
        if isinstance(value, str) and (block := _block(value, source[old.start : old.end], comment)) is not None:
            return block
    if isinstance(value, str):
        return write_text(value, json_only=json_only, style=old.style if old.style in ("'", '"') else None) + comment
    return write_value(value, json_only=json_only) + comment


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found.group()):04x}", quoted)


def _block(text: str, old: str, comment: str) -> str | None:
    """Return a text as a literal block with the indentation of the block `old`; None where a block cannot hold it."""
    first = next((line for line in old.split("\n")[1:] if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip(" "))]
    lines = text.removesuffix("\n").split("\n")
    usable = all(_PRINTABLE.match(line) and (line == "" or line.strip()) for line in lines)
    if not indent or not usable or len(lines) < 2 or lines[0][:1] in ("", " ") or lines[-1] == "":
        return None
    newline = "\r\n" if "\r\n" in old else "\n"
    header = ("|" if text.endswith("\n") else "|-") + comment
    return newline.join([header, *(indent + line if line else "" for line in lines)])
