"""Cuts the text of an expression into tokens."""

import re
from typing import NamedTuple

from domain.language.expressions.problems import ExpressionProblem

LONGEST_EXPRESSION = 4_096

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?!\w))
  | (?P<word>[^\W\d]\w*(?:-+\w+)*)
  | (?P<text>'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*")
  | (?P<symbol>\{\{|\}\}|\|\||==|!=|<=|>=|[-<>+*/()\[\].,|:])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t"}
_HINTS = {
    "=": "write == to compare",
    "&": "write and",
    "!": "write not, or != to compare",
    "%": "there is no remainder",
    **dict.fromkeys("“”„‘’`", "text stands in straight quotes, 'x' or \"x\""),
    "?": "there is no choice by ? and :; give two steps a `condition` each, or use a gateway",
    "$": "a path has no $ before it",
    "@": "a path has no @ before it",
    "~": "there are no patterns; use in, contains or ==",
    "#": "a comment stands outside of the expression",
}

# By a word that cannot stand where it does, what to write.
MISTAKEN = {
    "not": "write not (a in b)",
    "AND": "write and",
    "OR": "write or",
    "NOT": "write not",
    "is": "write == or !=",
    "(": "there are no function calls; use a filter: value | length",
    **dict.fromkeys(("yes", "on"), "write true"),
    **dict.fromkeys(("no", "off"), "write false"),
    "undefined": "write null",
    **dict.fromkeys(("len", "length", "size", "count"), "write … | length"),
}
# By the name of a filter elsewhere, its name here.
FILTERS_MEANT = {
    **dict.fromkeys(("size", "count", "len"), "length"),
    **dict.fromkeys(("uppercase", "upcase", "capitalize"), "upper"),
    **dict.fromkeys(("lowercase", "downcase"), "lower"),
    **dict.fromkeys(("tojson", "to_json", "dump", "stringify"), "json"),
    "strip": "trim",
    "d": "default",
}


class Token(NamedTuple):
    kind: str  # number, word, text, symbol or end
    value: str  # as written; for a text, its value
    offset: int


def tokens_of(text: str) -> list[Token]:
    """Return all tokens of a condition, with an `end` token last."""
    if len(text) > LONGEST_EXPRESSION:
        raise too_long(LONGEST_EXPRESSION)
    found: list[Token] = []
    offset = 0
    while offset < len(text):
        token, offset = _next(text, offset, len(text))
        if token is not None:
            found.append(token)
    found.append(Token("end", "", len(text)))
    return found


def tokens_of_hole(text: str, start: int) -> tuple[list[Token], int]:
    """Return the tokens of the `{{ … }}` at `start`, with an `end` token last, and the offset just after it."""
    if text.find("}}", start) < 0:
        raise _unclosed(start)
    offset = start + 2
    limit = min(len(text), offset + LONGEST_EXPRESSION + 2)
    found: list[Token] = []
    while offset < limit:
        token, offset = _next(text, offset, limit)
        if token is None:
            continue
        if token.value == "}}" and token.kind == "symbol":
            found.append(Token("end", "", token.offset))
            return found, offset
        found.append(token)
    raise _unclosed(start) if limit == len(text) else too_long(start)


def too_long(offset: int) -> ExpressionProblem:
    return ExpressionProblem(
        "expression_too_long",
        f"an expression is at most {LONGEST_EXPRESSION} characters",
        offset,
        "compute a part of it in an earlier step",
    )


def _unclosed(offset: int) -> ExpressionProblem:
    hint = "close it with '}}'; a literal '{{' is written {{ '{{' }}"
    return ExpressionProblem("expression_syntax", "'{{' is never closed", offset, hint)


def _next(text: str, offset: int, limit: int) -> tuple[Token | None, int]:
    match = _TOKEN.match(text, offset, limit)
    if match is None:
        raise _unreadable(text, offset, limit)
    kind = match.lastgroup or ""
    if kind == "space":
        return None, match.end()
    value = match.group()
    if kind == "text":
        value = _unescaped(value[1:-1], offset + 1)
    return Token(kind, value, offset), match.end()


def _unreadable(text: str, offset: int, limit: int) -> ExpressionProblem:
    character = text[offset]
    if character in "'\"":
        if limit < len(text):
            return too_long(offset)
        hint = f"close it with {character}, and write \\{character} for one inside"
        return ExpressionProblem("expression_syntax", "a text is never closed", offset, hint)
    if character in "0123456789":
        hint = "a number ends before a letter; a name that starts with a digit is written ['1st']"
        return ExpressionProblem("expression_syntax", "this is neither a number nor a name", offset, hint)
    return ExpressionProblem("expression_syntax", f"unexpected {character!r}", offset, _HINTS.get(character))


def _unescaped(body: str, offset: int) -> str:
    def replacement(match: re.Match[str]) -> str:
        character = match.group(1)
        if character not in _ESCAPES:
            message = f"unknown escape {match.group()!r} in a text"
            hint = r"known are \\ \' \" \n \t; write \\ for a backslash"
            raise ExpressionProblem("expression_syntax", message, offset + match.start(), hint)
        return _ESCAPES[character]

    return _ESCAPE.sub(replacement, body) if "\\" in body else body
