"""The input of an execution from the command line: a JSON document, and `name=value` pairs on top of it."""

from collections.abc import Sequence
from typing import Any

from domain.jsonvalue import parse_json
from domain.language.types.inputs import InputSpec
from domain.refusal import Malformed, Problem


def read_input(pairs: Sequence[str], document: bytes | None, spec: InputSpec) -> dict[str, Any]:
    """Return the input, each pair read as the type that the process declares for its field.

    A text field takes its value as it stands; any other is read as JSON, and is text where it is no JSON.
    Raises Malformed with a Problem for every malformed or repeated pair.
    """
    given: Any = {} if document is None else parse_json(document)
    if not isinstance(given, dict):
        raise Malformed("an input is a JSON object", [Problem("wrong_type", "an input is a JSON object", "input")])
    problems = []
    seen: set[str] = set()
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator or not name:
            problems.append(Problem("bad_pair", f"--input takes name=value, not {pair[:80]!r}", "input"))
        elif name in seen:
            problems.append(Problem("duplicate_key", f"{name!r} is given twice", f"input.{name}"))
        seen.add(name)
        given[name] = _value(name, text, spec)
    if problems:
        raise Malformed("the input cannot be read", problems)
    return given


def _value(name: str, text: str, spec: InputSpec) -> Any:
    field = (spec.fields or {}).get(name)
    if field is not None and field.type == "string":
        return text
    try:
        return parse_json(text.encode("utf-8", "surrogatepass"))
    except Malformed:
        return text
