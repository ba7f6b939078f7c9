"""Explains why a text is not YAML: the usual slips, each with its place and its remedy."""

import re

import yaml

from domain.refusal import Problem

_KEY = re.compile(r"\s*(?:- +)*(?P<key>[\w.-]+|'[^']*'|\"[^\"]*\"):(?P<space>\s+|$)")
_TIGHT = re.compile(r"\s*(?:- +)*([\w-]+):(?=[^\s/:])(\S.*)")
_BEGINS = {
    "@": "a text that begins with @ stands in quotes",
    "`": "a text that begins with ` stands in quotes",
    "%": "a text that begins with % stands in quotes",
    "*": "a text that begins with * stands in quotes",
    "&": "a text that begins with & stands in quotes",
    "?": "a text that begins with ? stands in quotes",
    "|": "a text that begins with | stands in quotes; after a | at the end of a line the text follows below",
    ">": "a text that begins with > stands in quotes; a comparison has a value on its left, too",
    "-": "a text that begins with - stands in quotes; a list begins on a line of its own",
    "[": "a text that begins with [ stands in quotes",
    "{": 'a text that begins with {{ stands in quotes: "{{ … }}"',
}
_LONGEST = 300


def explain_syntax(error: yaml.MarkedYAMLError, text: str) -> Problem:
    """Return the problem of a text that is not YAML, at the place where it should be mended."""
    message = "not YAML: " + " ".join(part for part in (error.context, error.problem) if part)
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Problem("yaml_syntax", message[:_LONGEST])
    line, column, hint = mark.line, mark.column, ""
    lines = text.splitlines()
    opened = error.context_mark
    if "end of stream" in message and "quoted scalar" in message and opened is not None:
        line, column = opened.line, opened.column
        hint = "the quote that opens here is never closed"
    else:
        # A key without a colon is noticed below it; its own line is the one to mend.
        if "expected ':'" in message and opened is not None:
            line, column = opened.line, opened.column
        hint = _hint(lines, line, column, message)
    return Problem("yaml_syntax", message[:_LONGEST], line=line + 1, column=column + 1, hint=hint)


def _hint(lines: list[str], at: int, column: int, message: str) -> str:
    line = lines[at] if at < len(lines) else ""
    before = next((each for each in reversed(lines[:at]) if each.strip()), "")
    if "\t" in line[: len(line) - len(line.lstrip())] or line[column : column + 1] == "\t":
        return "indent with spaces, not tabs"
    if tight := _TIGHT.match(line):
        return f"a space follows the colon: `{tight[1]}: {tight[2][:40]}`"
    if line[column : column + 1] in ("@", "`", "%"):
        return _BEGINS[line[column]]
    key = _KEY.match(line)
    value = line[key.end() :] if key is not None else line.lstrip(" -")
    if "not allowed" in message and (key is None or column < key.end()):
        return _continued(before)
    if "did not find" in message and key is not None and column <= key.start("key"):
        return "the keys of one object are indented alike, and so are the entries of one list"
    return _of_value(key["key"] if key is not None else "", value, line[column:])


def _continued(before: str) -> str:
    """Return the hint for a key that stands where the text of the line before goes on."""
    if tight := _TIGHT.match(before):
        return f"a space follows the colon in the line above: `{tight[1]}: {tight[2][:40]}`"
    return (
        "a key stands below the one before it, indented alike; "
        "a text of several lines that holds `: ` stands in quotes, or indented below a `|`"
    )


def _of_value(key: str, value: str, rest: str) -> str:
    first = value[:1]
    if first in ("'", '"'):
        if first == "'" and rest[:1].isalpha():
            return "an apostrophe inside '…' is written twice: ''; or put the text in \"…\""
        other = '"' if first == "'" else "'"
        return f"the text goes on after its closing {first}; put all of it in quotes: {key or 'key'}: {other}…{other}"
    if first in _BEGINS and (first != "{" or value.startswith("{{")):
        return _BEGINS[first]
    if ": " in value or "{{" in value or value.rstrip().endswith(":"):
        shown = value.strip()[:60].replace('"', "'")
        return f'a text with `: ` or `{{{{` in it stands in quotes: {key or "key"}: "{shown}"'
    if not key:
        return "a line here is `key: value`, or an entry of a list that begins with `- `"
    return ""
