"""The answers to a template from the command line: a JSON document, and `name=value` pairs on top of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.jsonvalue import parse_json
from domain.refusal import Malformed, Problem

READ_AS_JSON = ("integer", "number", "boolean", "array", "object", "money")


def read_answers(pairs: Sequence[str], document: bytes | None, types: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers. types: by the name of a parameter; a value of most types is the text as it stands.

    Raises Malformed with a Problem for every malformed pair.
    """
    given: Any = {} if document is None else parse_json(document)
    if not isinstance(given, dict):
        raise Malformed("answers are a JSON object", [Problem("wrong_type", "answers are a JSON object", "parameters")])
    for name, text in read_pairs(pairs, "--set").items():
        given[name] = _value(text) if types.get(name, "string") in READ_AS_JSON else text
    return given


def read_pairs(pairs: Sequence[str], option: str) -> dict[str, str]:
    """Return `name=value` pairs by name. Raises Malformed with a Problem for every malformed one."""
    problems = [
        Problem("bad_pair", f"{option} takes name=value, not {pair[:80]!r}", "parameters")
        for pair in pairs
        if not pair.partition("=")[0] or "=" not in pair
    ]
    if problems:
        raise Malformed(problems[0].message, problems)
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def _value(text: str) -> Any:
    try:
        return parse_json(text.encode("utf-8", "surrogatepass"))
    except Malformed:
        return text
