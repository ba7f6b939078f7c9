"""The JSON Schema that an agent's answer must meet: bounded, never fetched from anywhere, compiled once."""

from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs

from domain.language.types.schema_patterns import (
    LONGEST_TRIED,
    PATTERNS,
    bounded,
    has_unbounded,
    longest_text,
    more_values_than,
)

MAX_EXPANSION = 100_000
MAX_DEPTH = 200
MAX_MESSAGES = 5
MAX_MESSAGE = 300
# Naming every place in a large answer takes many times as long as deciding whether it is right.
MAX_LOCATED = 100_000
# Messages of a schema that marks sensitive values hold no value.
SENSITIVE = "x-sensitive"
MASK = "•••"

_NAMED_REFERENCES = ("$dynamicRef", "$recursiveRef")


class InvalidOutputSchema(ValueError):
    """An unusable JSON Schema; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class OutputSchema:
    """A compiled schema; two are equal when their documents are."""

    document: dict[str, Any]
    _validator: jsonschema_rs.Validator = field(compare=False, repr=False)
    _parts: int = field(compare=False, repr=False)
    _unbounded: bool = field(compare=False, repr=False)
    _recursive: bool = field(compare=False, repr=False)

    def problems(self, output: Any) -> list[str]:
        """Return at most the first five problems of `output`, each with its location if it is not large."""
        if self._unbounded and longest_text(output) > LONGEST_TRIED:
            return [f"output: a text longer than {LONGEST_TRIED} characters is not matched with the schema's patterns"]
        if self._validator.is_valid(output):
            return []
        if self._recursive:
            # Naming the places tries every branch anew at every level: twice the time for each level of the answer.
            return ["output: it does not match the schema, which refers to itself: the place is not stated"]
        most = MAX_LOCATED // self._parts
        if more_values_than(output, most):
            return [f"output: it does not match the schema, and has too many values (over {most}) to state where"]
        messages: list[str] = []
        for error in self._validator.iter_errors(output):
            where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
            messages.append(f"output{where}: {error.message}"[:MAX_MESSAGE])
            if len(messages) == MAX_MESSAGES:
                break
        return messages


def compile_output_schema(document: dict[str, Any]) -> OutputSchema:
    """Return the compiled schema, draft 2020-12 unless its `$schema` names another one.

    Raises InvalidOutputSchema when it is no JSON Schema, refers to anything outside itself, or unfolds to too much.
    """
    parts = _expansion(document, document, {}, 0)
    if parts > MAX_EXPANSION:
        raise InvalidOutputSchema(f"its references unfold to more than {MAX_EXPANSION} parts")
    try:
        mask = MASK if SENSITIVE in str(document) else None
        # The document itself is compiled first, so that messages are about what the author wrote.
        validator = jsonschema_rs.validator_for(document, mask=mask, pattern_options=PATTERNS, offline=True)
        unbounded = has_unbounded(document)
        limited = document if unbounded else bounded(document)
        if limited != document:
            validator = jsonschema_rs.validator_for(limited, mask=mask, pattern_options=PATTERNS, offline=True)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        where = "".join(f"/{part}" for part in getattr(error, "instance_path", ()))
        message = str(getattr(error, "message", error))[:MAX_MESSAGE]
        raise InvalidOutputSchema(f"{message} (at {where})" if where else message) from None
    return OutputSchema(document, validator, parts, unbounded, _recursive(document, document, set(), set()))


def _expansion(part: Any, document: dict[str, Any], sizes: dict[int, int], depth: int) -> int:
    """Return the number of parts of `part` with its references replaced by their targets, a recursion counted once.

    References that repeat each other's targets would otherwise double the work of checking at every level.
    """
    if not isinstance(part, dict | list):
        return 1
    if id(part) in sizes:
        return sizes[id(part)]
    if depth > MAX_DEPTH:
        raise InvalidOutputSchema(f"its references lead more than {MAX_DEPTH} levels deep")
    sizes[id(part)] = 1
    items = part.values() if isinstance(part, dict) else part
    size = 1 + sum(_expansion(item, document, sizes, depth + 1) for item in items)
    if isinstance(part, dict):
        for name in _NAMED_REFERENCES:
            if isinstance(part.get(name), str):
                raise InvalidOutputSchema(f"`{name}` is not read; use a `$ref` that begins with `#`")
        if isinstance(reference := part.get("$ref"), str):
            size += _expansion(_target(reference, document), document, sizes, depth + 1)
    sizes[id(part)] = size
    return size


def _recursive(part: Any, document: dict[str, Any], begun: set[int], done: set[int]) -> bool:
    """Return whether a reference in `part` leads back to a part that contains it."""
    if not isinstance(part, dict | list) or id(part) in done:
        return False
    if id(part) in begun:
        return True
    begun.add(id(part))
    inside = list(part.values()) if isinstance(part, dict) else list(part)
    if isinstance(part, dict) and isinstance(reference := part.get("$ref"), str):
        inside.append(_target(reference, document))
    found = any(_recursive(each, document, begun, done) for each in inside)
    done.add(id(part))
    return found


def _target(reference: str, document: dict[str, Any]) -> Any:
    if reference != "#" and not reference.startswith("#/"):
        raise InvalidOutputSchema(f"`$ref: {reference[:100]}` is outside of the schema; only `#/…` is read")
    target: Any = document
    for step in reference.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(target, dict) and key in target:
            target = target[key]
        elif isinstance(target, list) and key.isdecimal() and int(key) < len(target):
            target = target[int(key)]
        else:
            return None
    return target
